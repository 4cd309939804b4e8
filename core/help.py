"""The topics of the help pages; each is a template under templates/core/help/."""

from typing import NamedTuple


class Topic(NamedTuple):
    title: str
    # URL names of places; a reader is shown those that stand in one's own left column.
    places: tuple[str, ...]


TOPICS = {
    "weekly": Topic("填写周报", ("home", "obligations:deadlines")),
    "summaries": Topic("月报和半年总结", ("summaries:list", "summaries:sums", "summaries:ministry")),
    "late": Topic(
        "迟报、补报、未报",
        ("obligations:disputes", "obligations:deadlines", "reporting:matrix", "obligations:policies"),
    ),
    "correction": Topic("更正", ("obligations:deadlines",)),
    "suspension": Topic(
        "停报与停机", ("obligations:suspensions", "obligations:outages", "obligations:calendar")
    ),
    "streak": Topic("预警与立案", ("reporting:non-reporters", "supervision:case-list")),
    "platform": Topic(
        "国家平台", ("obligations:platform-lists", "reporting:differences", "obligations:disputes")
    ),
    "rounds": Topic("申报批次", ("rounds:list", "obligations:deadlines")),
    "programmes": Topic(
        "试点项目与年度计划",
        ("schools:programme-list", "schools:platform-differences", "schools:platform-states"),
    ),
    "evaluator-filings": Topic("评价组织备案", ("evaluator-filings:list", "evaluators:list")),
    "filings": Topic("院校备案", ("filings:edit", "filings:list")),
    "opinions": Topic("专家意见", ("opinions:list", "opinions:interests")),
    "applications": Topic("试点申报", ("applications:list", "agreements:list")),
    "reviews": Topic("申报审核", ("reviews:queue", "rounds:list")),
    "roster": Topic("名册导入", ("schools:roster", "schools:list")),
    "publications": Topic("公示与公布", ("publications:manage", "filings:edit", "obligations:deadlines")),
    "fees": Topic("考核费用", ("funding:caps", "funding:standards")),
    "activities": Topic(
        "活动、教师与资源", ("activities:list", "trainers:list", "teachers:list", "resources:list")
    ),
    "agreements": Topic("合作协议", ("agreements:list",)),
    "sites": Topic("考核站点", ("sites:list", "sites:coverage", "sites:nearest")),
    "deadlines": Topic("截止事项与日历订阅", ("obligations:deadlines",)),
    "feedback": Topic(
        "对评价组织的反馈",
        ("supervision:feedback-list", "supervision:feedback-questions", "supervision:feedback-counts"),
    ),
    "monitoring": Topic("监测点", ("supervision:monitoring",)),
    "credit": Topic("学分记录建议", ("credit:list",)),
    "accounts": Topic("账号与交接", ("accounts:user-list", "accounts:organization-list", "core:audit")),
    "channels": Topic("邮件与群机器人", ("core:channels",)),
    "questions": Topic("常见问题", ("obligations:deadlines",)),
}
