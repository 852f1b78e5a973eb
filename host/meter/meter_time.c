/* SPDX-License-Identifier: Apache-2.0 */
#include "meter/meter_time.h"

#include <string.h>

/* What is left to read. */
struct scan {
    const char *at, *end;
};

static const int64_t second_ns = INT64_C(1000000000);

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static size_t left(const struct scan *scan) {
    return (size_t)(scan->end - scan->at);
}

static bool take(struct scan *scan, const char *text) {
    size_t length = strlen(text);
    if (left(scan) < length || memcmp(scan->at, text, length) != 0)
        return false;
    scan->at += length;
    return true;
}

static void skip_blanks(struct scan *scan) {
    while (scan->at < scan->end && *scan->at == ' ')
        scan->at++;
}

/* At most `most` digits; how many there were. */
static int take_number(struct scan *scan, int most, int64_t *out) {
    int digits = 0;
    *out = 0;
    while (digits < most && scan->at < scan->end && is_digit(*scan->at)) {
        *out = *out * 10 + (*scan->at++ - '0');
        digits++;
    }
    return digits;
}

/* Days since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t days_of(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = year / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_date(int64_t year, int64_t month, int64_t day) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1)
        return false;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= lengths[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

/* The mark between two parts of a date; 0 when there is none. The Chinese ones count as '-'. */
static char take_mark(struct scan *scan) {
    static const char *const characters[] = {"年", "月", NULL};
    for (int i = 0; characters[i] != NULL; i++)
        if (take(scan, characters[i]))
            return '-';
    if (scan->at < scan->end && *scan->at != '\0' && strchr("-/.", *scan->at) != NULL)
        return *scan->at++;
    return '\0';
}

static const char *parse_date(struct scan *scan, enum pa_meter_date date, int64_t *days) {
    int64_t a, b, c;
    int first = take_number(scan, 4, &a);
    char mark = take_mark(scan);
    int second = take_number(scan, 2, &b);
    char again = take_mark(scan);
    int third = take_number(scan, 4, &c);
    if (first == 0 || second == 0 || third == 0 || mark == '\0' || mark != again)
        return "this is no date such as 2026-11-24";
    take(scan, "日");
    if (first == 4 && third <= 2) {
        if (date != PA_DATE_YMD)
            return "the year stands first here, which date= contradicts";
        if (!is_date(a, b, c))
            return "there is no such day";
        *days = days_of(a, b, c);
        return NULL;
    }
    if (third != 4 || first > 2)
        return "the year must have four digits";
    if (date != PA_DATE_DMY && date != PA_DATE_MDY)
        return "day and month could be either way round; say date=dmy or date=mdy";
    int64_t day = date == PA_DATE_DMY ? a : b, month = date == PA_DATE_DMY ? b : a;
    if (!is_date(c, month, day))
        return "there is no such day; is date= right?";
    *days = days_of(c, month, day);
    return NULL;
}

static void take_fraction(struct scan *scan, int64_t *ns) {
    int64_t scale = second_ns / 10;
    *ns = 0;
    if (left(scan) < 2 || (*scan->at != '.' && *scan->at != ',') || !is_digit(scan->at[1]))
        return;
    for (scan->at++; scan->at < scan->end && is_digit(*scan->at); scan->at++, scale /= 10)
        *ns += (*scan->at - '0') * scale;
}

/* Loggers write midnight at the day's end as 24:00. */
static const char *parse_clock(struct scan *scan, int64_t *ns) {
    int64_t hour, minute, second = 0, fraction = 0;
    if (take_number(scan, 2, &hour) == 0 || !take(scan, ":") || take_number(scan, 2, &minute) != 2)
        return "the time of day is not like 10:15 or 10:15:30";
    if (take(scan, ":")) {
        if (take_number(scan, 2, &second) != 2)
            return "the seconds need two digits";
        take_fraction(scan, &fraction);
    }
    struct scan ahead = *scan;
    skip_blanks(&ahead);
    bool is_am = take(&ahead, "AM") || take(&ahead, "am");
    bool is_pm = !is_am && (take(&ahead, "PM") || take(&ahead, "pm"));
    if (is_am || is_pm) {
        if (hour < 1 || hour > 12)
            return "AM and PM go with hours from 1 to 12";
        hour = hour % 12 + (is_pm ? 12 : 0);
        *scan = ahead;
    }
    if (hour > 24 || minute > 59 || second > 59 ||
        (hour == 24 && (minute != 0 || second != 0 || fraction != 0)))
        return "there is no such time of day";
    *ns = ((hour * 60 + minute) * 60 + second) * second_ns + fraction;
    return NULL;
}

bool pa_meter_zone_parse(const char *text, size_t length, int32_t *seconds) {
    struct scan scan = {text, text + length};
    int64_t hours, minutes = 0;
    *seconds = 0;
    if (take(&scan, "Z") || take(&scan, "UTC"))
        return scan.at == scan.end;
    bool is_west = left(&scan) > 0 && *scan.at == '-';
    if (!is_west && (left(&scan) == 0 || *scan.at != '+'))
        return false;
    scan.at++;
    if (take_number(&scan, 2, &hours) != 2)
        return false;
    if (scan.at < scan.end) {
        take(&scan, ":");
        if (take_number(&scan, 2, &minutes) != 2)
            return false;
    }
    if (scan.at != scan.end || hours > 14 || minutes > 59)
        return false;
    *seconds = (int32_t)((hours * 60 + minutes) * 60) * (is_west ? -1 : 1);
    return true;
}

static const char *parse_unix(struct scan *scan, enum pa_meter_date date, int64_t *utc_ns) {
    int64_t whole, fraction = 0;
    int64_t unit = date == PA_DATE_UNIX ? second_ns : second_ns / 1000;
    int64_t most = INT64_C(7258118400) * (second_ns / unit); /* the year 2200 */
    if (take_number(scan, 14, &whole) == 0)
        return "this is no number of seconds since 1970";
    if (date == PA_DATE_UNIX)
        take_fraction(scan, &fraction);
    if (scan->at != scan->end || whole > most)
        return "this is no time since 1970; are date=unix and date=unix_ms mixed up?";
    *utc_ns = whole * unit + fraction;
    return NULL;
}

static bool is_plain_number(const struct scan *scan) {
    for (const char *p = scan->at; p < scan->end; p++)
        if (!is_digit(*p) && *p != '.')
            return false;
    return left(scan) >= 9;
}

const char *pa_meter_time_parse(const char *text, size_t length,
                                const struct pa_meter_time_form *form, int64_t *utc_ns) {
    struct scan scan = {text, text + length};
    int64_t days, ns;
    int32_t zone = form->zone_seconds;
    skip_blanks(&scan);
    while (scan.end > scan.at && scan.end[-1] == ' ')
        scan.end--;
    if (scan.at == scan.end)
        return "the time is missing";
    if (form->date == PA_DATE_UNIX || form->date == PA_DATE_UNIX_MS)
        return parse_unix(&scan, form->date, utc_ns);
    if (is_plain_number(&scan) && memchr(scan.at, '.', left(&scan)) == NULL)
        return "a plain number is no date; say date=unix (seconds) or date=unix_ms";
    const char *problem = parse_date(&scan, form->date, &days);
    if (problem != NULL)
        return problem;
    if (scan.at == scan.end)
        return "the time of day is missing; time=DATE_COLUMN+TIME_COLUMN joins two columns";
    if (!take(&scan, "T") && *scan.at != ' ')
        return "between date and time of day belongs a blank or a T";
    skip_blanks(&scan);
    problem = parse_clock(&scan, &ns);
    if (problem != NULL)
        return problem;
    skip_blanks(&scan);
    bool has_own = scan.at < scan.end;
    if (has_own && !pa_meter_zone_parse(scan.at, left(&scan), &zone))
        return "behind the time stands something that is no zone such as Z or +08:00";
    if (has_own && form->has_zone && zone != form->zone_seconds)
        return "the time's own zone is not the one that zone= tells";
    if (!has_own && !form->has_zone)
        return "nothing says which zone this time is in; say zone=+08:00 or zone=UTC";
    *utc_ns = days * 86400 * second_ns + ns - zone * second_ns;
    return *utc_ns < 0 ? "times before 1970 are no readings" : NULL;
}
