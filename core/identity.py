"""Resident identity numbers (GB 11643): what is wrong with one, in words.

Our own check: county codes come and go, and people keep the number they were given at birth, so only the
province's two digits are looked at, not the county.
"""

import datetime as dt
import re
import unicodedata

from core.personal import check_digit

# GB/T 2260: the provinces, Taiwan, Hong Kong, Macao; 83 is for residence permits of Taiwan's residents.
_PROVINCES = {
    *range(11, 16),
    *range(21, 24),
    *range(31, 38),
    *range(41, 47),
    *range(50, 55),
    *range(61, 66),
    71,
    81,
    82,
    83,
}
YOUNGEST, OLDEST = 16, 100
MALE, FEMALE = "男", "女"


def normal(text: str) -> str:
    """As it is kept: half width, no spaces, the last letter large."""
    plain = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return re.sub(r"[\s-]", "", plain).upper()


def sex_of(number: str) -> str:
    return MALE if int(number[16]) % 2 else FEMALE


def birth_of(number: str) -> dt.date | None:
    """The day of birth that stands in it; None where there is no such day."""
    try:
        return dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def fault(number: str, *, on: dt.date) -> str:
    """What is wrong with the number itself on that day; "" when nothing is. `number` is `normal`.

    Names no digit of it: the words may end up in a log.
    """
    if re.fullmatch(r"\d{15}", number):
        return "这是 15 位的第一代身份证号，已停止使用。请填写现在身份证上的 18 位号码。"
    if not re.fullmatch(r"\d{17}[\dX]", number, re.ASCII):
        return "身份证号应为 18 位：17 位数字，末位是数字或 X。请对照身份证核对。"
    if int(number[:2]) not in _PROVINCES:
        return "身份证号的前两位不是省份代码，请对照身份证核对。"
    born = birth_of(number)
    if born is None:
        return "身份证号第 7 至 14 位不是真实的日期，请对照身份证核对。"
    if check_digit(number[:17]) != number[17]:
        return "身份证号的校验位不对，有一位或几位填错了，请对照身份证核对。"
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    if not YOUNGEST <= age <= OLDEST:
        return f"按身份证号推算的年龄不在 {YOUNGEST} 至 {OLDEST} 岁之间，请对照身份证核对。"
    return ""


def disagreements(number: str, *, sex: str, birth_month: str) -> dict[str, str]:
    """{"sex" | "birth_month": words} where a faultless number says otherwise; `birth_month` is `1985-03`."""
    found = {}
    if sex and sex != sex_of(number):
        found["sex"] = "性别与身份证号不一致（身份证号第 17 位单数为男、双数为女），请核对。"
    born = birth_of(number)
    if born and birth_month and birth_month != f"{born:%Y-%m}":
        found["birth_month"] = "出生年月与身份证号第 7 至 12 位不一致，请核对。"
    return found
