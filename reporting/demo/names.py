"""Invented names, each unlike any real one: all say 演示."""

from schools.models import School

LABEL = "演示数据"
CODE_PREFIX = "DEMO"

_DIGITS = "零一二三四五六七八九"
_STEMS = "甲乙丙丁戊己庚辛壬癸子丑"

SUBJECTS = [
    "机器人运维", "网店运营", "物流管理", "建筑信息建模", "网页开发", "财税应用", "汽车检修", "老年照护",
    "数据标注", "云平台运维", "旅游策划", "烹饪营养", "焊接技术", "幼儿照护", "直播销售", "数控加工",
    "测绘处理", "煤矿智能设备", "文物数字化", "民宿管理",
]  # fmt: skip

SCHOOL_NAMES = {
    School.Kind.SECONDARY_VOCATIONAL: "{city}第{n}演示职业学校",
    School.Kind.HIGHER_VOCATIONAL: "{city}第{n}演示职业技术学院",
    School.Kind.APPLIED_BACHELOR: "{city}第{n}演示应用技术学院",
    School.Kind.VOCATIONAL_BACHELOR: "{city}第{n}演示职业技术大学",
    School.Kind.OPEN_UNIVERSITY: "{city}第{n}演示开放大学",
}


def numeral(n: int) -> str:
    """1 → 一, 12 → 十二, 45 → 四十五; from 100 on in digits."""
    if n >= 100:
        return str(n)
    tens, ones = divmod(n, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return head + (_DIGITS[ones] if ones or not tens else "")


def school(kind: str, city: str, n: int) -> str:
    return SCHOOL_NAMES[School.Kind(kind)].format(city=city, n=numeral(n))


def evaluator(n: int) -> str:
    """From 0 to 11."""
    return f"演示评价组织{_STEMS[n]}"


def certificate(subject: str) -> str:
    return f"演示{subject}职业技能等级证书"


def bureau(city: str) -> str:
    return f"{city}演示教育局"
