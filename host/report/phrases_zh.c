/* SPDX-License-Identifier: Apache-2.0 */
#include "report/phrase.h"

const struct pa_phrase pa_phrases_zh[] = {
    {"PASS", "合格"},
    {"FAIL", "不合格"},
    {"INCONCLUSIVE", "不能判定"},
    {"INVALID", "无效"},
    {"critical", "严重"},
    {"warning", "警告"},
    {"info", "提示"},
    {"closed", "完成"},
    {"aborted", "中止"},
    {"self-declared", "自行申报"},
    {NULL, NULL},
};
