"""The catalogue: certificates, their levels, majors."""

from django.db import models

from accounts.models import Organization


class Certificate(models.Model):
    """A vocational skill-level certificate and the organisation that owns it."""

    name = models.CharField("证书名称", max_length=120)
    owner = models.ForeignKey(
        Organization, models.PROTECT, related_name="certificates", verbose_name="培训评价组织"
    )
    batch = models.CharField("批次", max_length=4, blank=True)
    batch_basis = models.CharField("批次依据", max_length=120, blank=True)
    source = models.CharField("来源", max_length=200, blank=True)
    # Known only where the office has entered it: the clock of the credit proposal runs from it (MOE 三(三)).
    published_on = models.DateField("公布日期", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "职业技能等级证书"
        ordering = ["batch", "name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="certificate_once")]
        indexes = [models.Index(fields=["name"])]

    def __str__(self) -> str:
        return self.name

    @property
    def short_name(self) -> str:
        return self.name.removesuffix("职业技能等级证书") or self.name


class ExamForm(models.TextChoices):
    """How a level is examined: what the cost caps go by (MOE 三(二))."""

    PAPER = "paper", "纸笔考试"
    COMPUTER = "computer", "机考"
    PRACTICAL = "practical", "一般实操"
    SPECIAL_PRACTICAL = "special_practical", "特殊实操"


class CertificateLevel(models.Model):
    """The unit of the national platform: certificate × level."""

    class Level(models.IntegerChoices):
        PRIMARY = 1, "初级"
        INTERMEDIATE = 2, "中级"
        ADVANCED = 3, "高级"

    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="levels", verbose_name="证书")
    level = models.PositiveSmallIntegerField("等级", choices=Level)
    exam_form = models.CharField("考核形式", max_length=20, choices=ExamForm, blank=True)
    platform_id = models.CharField("国家平台编号", max_length=40, blank=True)
    platform_state_on = models.DateField("国家平台数据日期", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "证书等级"
        ordering = ["certificate", "level"]
        constraints = [
            models.UniqueConstraint(fields=["certificate", "level"], name="certificate_level_once")
        ]

    def __str__(self) -> str:
        return f"{self.certificate.short_name}（{self.get_level_display()}）"


class Major(models.Model):
    """A major of one version of the ministry's catalogue."""

    code = models.CharField("专业代码", max_length=8)
    name = models.CharField("专业名称", max_length=60)
    level = models.CharField("层次", max_length=20)
    category = models.CharField("专业类", max_length=40, blank=True)
    catalogue = models.CharField("目录版本", max_length=60)

    class Meta:
        verbose_name = verbose_name_plural = "专业"
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["catalogue", "level", "code"], name="major_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"
