"""The topics of the help pages; each is a template under templates/core/help/."""

TOPICS = {
    "weekly": "填写周报",
    "late": "迟报、补报、未报",
    "correction": "更正",
    "suspension": "停报与停机",
    "streak": "预警与立案",
    "roster": "名册导入",
    "accounts": "账号与交接",
    "questions": "常见问题",
}
