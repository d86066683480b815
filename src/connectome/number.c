#include "connectome/connectome.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Powers of ten that are exact in a double. */
static const double powers_of_ten[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
    1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
enum { MAX_EXACT_POWER = 22, MAX_DIGITS = 19 };

static pthread_once_t locale_once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* strtod of a token whose grammar was checked, whatever the user's locale */
static double convert_slowly(const char *text)
{
    pthread_once(&locale_once, make_locale);
    return c_locale != (locale_t)0 ? strtod_l(text, NULL, c_locale) : strtod(text, NULL);
}

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* Value of eight digits, one load: D. Lemire, "Quickly parsing eight digits" (2018). */
static bool scan_eight(const char *text, uint64_t *mantissa)
{
    uint64_t bytes;
    memcpy(&bytes, text, sizeof bytes);
    if (((bytes & 0xF0F0F0F0F0F0F0F0u) |
            (((bytes + 0x0606060606060606u) & 0xF0F0F0F0F0F0F0F0u) >> 4)) !=
        0x3333333333333333u) {
        return false;
    }
    bytes -= 0x3030303030303030u;
    bytes = bytes * 10 + (bytes >> 8);
    bytes = ((bytes & 0x000000FF000000FFu) * 0x000F424000000064u +
                ((bytes >> 16) & 0x000000FF000000FFu) * 0x0000271000000001u) >>
            32;
    *mantissa = *mantissa * 100000000u + bytes;
    return true;
}

/* Exponent behind the mantissa; *c moves past it. False if `e` has no digits. */
static bool scan_exponent(const char **c, int *exponent)
{
    const char *at = *c + 1;
    bool negative = *at == '-';
    at += *at == '-' || *at == '+';
    if (!is_digit(*at)) {
        return false;
    }
    int value = 0;
    for (; is_digit(*at); at++) {
        value = value < 100000 ? value * 10 + (*at - '0') : value;
    }
    *exponent += negative ? -value : value;
    *c = at;
    return true;
}

const char *spl_scan_number(const char *text, double *value)
{
    const char *c = text;
    bool negative = *c == '-';
    c += *c == '-' || *c == '+';
    uint64_t mantissa = 0;
    const char *whole = c;
    for (; is_digit(*c); c++) {
        mantissa = mantissa * 10 + (uint64_t)(*c - '0');
    }
    ptrdiff_t n_digits = c - whole;
    int exponent = 0;
    if (*c == '.') {
        const char *fraction = ++c;
        while (scan_eight(c, &mantissa)) {
            c += 8;
        }
        for (; is_digit(*c); c++) {
            mantissa = mantissa * 10 + (uint64_t)(*c - '0');
        }
        n_digits += c - fraction;
        exponent = c - fraction < 100000 ? -(int)(c - fraction) : -100000;
    }
    if (n_digits == 0) {
        return NULL;
    }
    if ((*c == 'e' || *c == 'E') && !scan_exponent(&c, &exponent)) {
        return NULL;
    }
    /* the mantissa and the power are exact, so one rounding is left, as in strtod */
    if (n_digits <= MAX_DIGITS && mantissa <= (uint64_t)1 << 53 &&
        (mantissa == 0 || abs(exponent) <= MAX_EXACT_POWER)) {
        double number = (double)mantissa;
        if (mantissa != 0) {
            number = exponent < 0 ? number / powers_of_ten[-exponent]
                                  : number * powers_of_ten[exponent];
        }
        *value = negative ? -number : number;
    } else {
        *value = convert_slowly(text);
    }
    return c;
}

bool spl_is_special(const char *token, size_t length)
{
    static const char *const names[] = {"nan", "inf", "infinity"};
    if (length > 0 && (*token == '-' || *token == '+')) {
        token++;
        length--;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (length == strlen(names[i]) && strncasecmp(token, names[i], length) == 0) {
            return true;
        }
    }
    return false;
}

bool spl_is_number(const char *token, size_t length)
{
    double value;
    return spl_is_special(token, length) ||
           (length > 0 && spl_scan_number(token, &value) == token + length);
}
