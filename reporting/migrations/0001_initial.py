import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '__first__'),
        ('obligations', '0001_initial'),
        ('schools', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='StreakWarning',
            fields=[
                ('obligation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='warning', serialize=False, to='obligations.obligation', verbose_name='报送任务')),
                ('weeks', models.PositiveSmallIntegerField(verbose_name='连续周数')),
                ('warned_at', models.DateTimeField(verbose_name='预警时间')),
            ],
            options={
                'verbose_name': '预警',
                'verbose_name_plural': '预警',
                'ordering': ['-warned_at'],
            },
        ),
        migrations.CreateModel(
            name='WeeklyReport',
            fields=[
                ('obligation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='report', serialize=False, to='obligations.obligation', verbose_name='报送任务')),
                ('draft', models.JSONField(blank=True, null=True, verbose_name='草稿')),
                ('draft_revision', models.PositiveIntegerField(default=0, verbose_name='草稿修订号')),
                ('draft_saved_at', models.DateTimeField(blank=True, null=True, verbose_name='草稿保存时间')),
                ('draft_saved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '周报',
                'verbose_name_plural': '周报',
            },
        ),
        migrations.CreateModel(
            name='ReportVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(verbose_name='版本')),
                ('receipt', models.CharField(max_length=32, unique=True, verbose_name='回执编号')),
                ('token', models.CharField(max_length=64, verbose_name='表单令牌')),
                ('received_at', models.DateTimeField(verbose_name='收到时间')),
                ('is_zero', models.BooleanField(default=False, verbose_name='无新进展')),
                ('content', models.JSONField(verbose_name='内容')),
                ('content_hash', models.CharField(max_length=64, verbose_name='内容摘要')),
                ('submitted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('report', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='reporting.weeklyreport', verbose_name='周报')),
            ],
            options={
                'verbose_name': '周报版本',
                'verbose_name_plural': '周报版本',
                'ordering': ['report', 'number'],
                'constraints': [models.UniqueConstraint(fields=('report', 'number'), name='report_version_number'), models.UniqueConstraint(fields=('report', 'token'), name='report_version_token')],
            },
        ),
        migrations.CreateModel(
            name='ProgrammeFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('in_training', models.PositiveIntegerField(verbose_name='在训人数')),
                ('training_hours', models.DecimalField(decimal_places=1, max_digits=9, validators=[django.core.validators.MinValueValidator(0)], verbose_name='培训学时')),
                ('registered', models.PositiveIntegerField(verbose_name='报考人数')),
                ('examined', models.PositiveIntegerField(verbose_name='参考人数')),
                ('passed', models.PositiveIntegerField(verbose_name='合格人数')),
                ('certified', models.PositiveIntegerField(verbose_name='发证人数')),
                ('explanation', models.CharField(blank=True, max_length=200, verbose_name='说明')),
                ('programme', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='figures', to='schools.programme', verbose_name='试点项目')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='figures', to='reporting.reportversion', verbose_name='版本')),
            ],
            options={
                'verbose_name': '项目数据',
                'verbose_name_plural': '项目数据',
                'ordering': ['programme'],
                'constraints': [models.UniqueConstraint(fields=('version', 'programme'), name='figures_once')],
            },
        ),
        migrations.AddField(
            model_name='WeeklyReport',
            name='current',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='reporting.reportversion', verbose_name='现行版本'),
        ),
    ]
