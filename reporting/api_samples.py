"""Examples and texts of the schema's pages about reports."""

from typing import Any

FILING = """以院校联系人（或代理人）的令牌提交。检查与页面相同，收到即有回执。

* `201`：新版本。`200`：同一 Idempotency-Key 已提交过，或内容与现行版本相同，返回原回执，不产生新版本。
* `409`：同一 Idempotency-Key 已用于另一内容。`400`：`errors` 逐项说明。`403`：尚未开始，或不由您填报。
* 收到时刻以请求到达为准；截止前为按时，截止后、关闭前为迟报，关闭后为补报。
"""

_ROW = {
    "programme": 7,
    "in_training": 40,
    "training_hours": "36.5",
    "registered": 30,
    "examined": 20,
    "passed": 18,
    "certified": 10,
    "explanation": "",
}
_FIGURES: dict[str, Any] = {
    name: value for name, value in _ROW.items() if name not in ("programme", "explanation")
}
_TEXTS = {"work_done": "开展考前培训", "problems": "", "suggestions": "", "next_week": "组织模拟考核"}
SUBMISSION = {
    "is_zero": False,
    "programmes": [_ROW],
    "teachers_trained": 2,
    "money_spent": "1500.50",
    **_TEXTS,
}
_HASH = "9f2c7d0f3a5b41f88ec1f6d8b7d2c94e0a1b2c3d4e5f60718293a4b5c6d7e8f9"
_RECEIVED = {"number": 1, "receipt": "ZB20201120-7F3K9Q", "received_at": "2020-11-20T17:51:03.120000+08:00"}
RECEIPT = {**_RECEIVED, "obligation": 1024, "is_zero": False, "state": "on_time", "content_hash": _HASH}
REPORT = {
    "obligation": 1024,
    "organization": 12,
    "organization_name": "太原演示职业学校",
    "period": 47,
    "key": "2020-W47",
    "state": "on_time",
    "version": 1,
    "receipt": _RECEIVED["receipt"],
    "received_at": _RECEIVED["received_at"],
}
_CONTENT = {
    "period": "2020-W47",
    "organization": "4214000001",
    "is_zero": False,
    "programmes": {"7": {**_FIGURES, "explanation": ""}},
    "teachers_trained": 2,
    "money_spent": "1500.50",
    **_TEXTS,
}
DETAIL = {
    **REPORT,
    "versions": [
        {**_RECEIVED, "submitted_by": "李老师", "is_zero": False, "content": _CONTENT, "content_hash": _HASH}
    ],
}
SUMMARY = {
    "obligation": 2048,
    "kind": "monthly_report",
    "organization": 31,
    "organization_name": "演示评价组织",
    "period": 63,
    "key": "2020-10",
    "state": "on_time",
    "version": 1,
    "receipt": "YB20201105-4M8T2C",
    "received_at": "2020-11-05T10:20:00+08:00",
}
_MONTH = {
    "period": "2020-10",
    "organization": "E1",
    "is_zero": False,
    "rows": {
        "5": {
            "name": "演示运维职业技能等级证书",
            "given": {
                "schools": 12,
                "planned": 600,
                "in_training": 480,
                "registered_added": 60,
                "examined_added": 58,
                "passed_added": 50,
                "certified_added": 45,
                "certified": 210,
                "activities_filed": 2,
                "activities_held": 1,
                "exams_held": 2,
            },
            "said": {"exams": 2, "said_examined": 58, "issued": 45, "fees": "16240.00"},
            "explanation": "",
        }
    },
    "sums": {},
    "problems": "",
    "plans": "继续开展师资培训",
}
SUMMARY_DETAIL = {
    **SUMMARY,
    "versions": [
        {
            "number": 1,
            "receipt": SUMMARY["receipt"],
            "received_at": SUMMARY["received_at"],
            "submitted_by": "王老师",
            "is_zero": False,
            "content": _MONTH,
            "content_hash": _HASH,
        }
    ],
}
SHEET = {
    "obligation": 1024,
    "filing": "on_time",
    "locked": False,
    "programmes": [{"programme": 7, "name": "演示运维职业技能等级证书（中级）", "before": _FIGURES}],
}
_RATE = {
    "owed": 20,
    "on_time": 17,
    "late": 1,
    "pending": 0,
    "missed": 2,
    "excused": 0,
    "filled": 1,
    "never_filled": 1,
    "exempt": 1,
    "percent": 90.0,
    "percent_on_time": 85.0,
}
RATES = {
    "period": 47,
    "key": "2020-W47",
    "total": _RATE,
    "authorities": [{"authority": 2, "name": "太原市教育局", "rate": _RATE}],
}
