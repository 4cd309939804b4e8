"""By which names a school is recognised in a question, and which words are not taken for one."""

import pytest

from supervision.school_names import ways_to_write

PLACES = ["山西省", "太原市", "运城市", "太谷县", "应县"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("太原市财贸学校", "太原市财贸学校反映"),
        ("太原市财贸学校", "太原财贸学校反映"),
        ("太原财贸学校", "太原市财贸学校反映"),
        ("太原市财贸学校", "财贸学校反映"),
        ("太原市财贸学校", "据太原财贸的老师说"),
        ("太谷县职业中学", "太谷职业中学反映"),
        ("山西省太原市机械职业学校", "太原机械职业的学生"),
        ("山西运城农业职业技术学院", "运城农业职业技术学院反映"),
        ("山西省财政税务专科学校", "山西财政税务专科学校反映"),
        ("山西老区职业技术学院", "老区职业技术学院反映"),
        ("中北大学", "中北大学反映"),
    ],
)
def test_it_is_recognised_by_its_short_forms(name, text):
    assert any(form in text for form in ways_to_write(name, PLACES))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        # Nothing but common words is left without the place.
        ("太原职业技术学院", "是否要求职业技术学院、中等职业学校购买软件"),
        ("太谷县职业中学", "是否要求职业中学购买软件"),
        ("山西大学", "是否向山西省大学生另收培训费"),
        # The subject is the certificates' too.
        ("太原市机械职业学校", "机械职业技能等级证书的收费"),
        ("太原市旅游学校", "旅游策划职业技能等级证书（中级）在太原市的考核"),
        ("财会职业学校", "财会职业技能等级证书的收费"),
        # One letter of a county's name begins other words.
        ("应县农业学校", "应用农业类证书"),
        ("太原市财贸学校", "是否在太原市向学校、学生收取培训费，或与设备捆绑销售"),
    ],
)
def test_words_that_anybody_uses_are_not_taken_for_it(name, text):
    assert [form for form in ways_to_write(name, PLACES) if form in text] == []
