import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('certificates', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='School',
            fields=[
                ('organization', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='school', serialize=False, to='accounts.organization', verbose_name='机构')),
                ('kind', models.CharField(choices=[('higher_vocational', '高等职业学校'), ('secondary_vocational', '中等职业学校'), ('vocational_bachelor', '职业本科'), ('applied_bachelor', '应用型本科'), ('open_university', '开放大学')], max_length=24, verbose_name='办学类型')),
                ('is_lead', models.BooleanField(default=False, verbose_name='牵头院校（双高/示范）')),
                ('address', models.CharField(blank=True, max_length=200, verbose_name='地址')),
            ],
            options={
                'verbose_name': '试点院校',
                'verbose_name_plural': '试点院校',
                'ordering': ['organization'],
            },
        ),
        migrations.CreateModel(
            name='Programme',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('started_at', models.DateTimeField(verbose_name='开始时间')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='结束时间')),
                ('certificate_level', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='programmes', to='certificates.certificatelevel', verbose_name='证书等级')),
                ('school', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='programmes', to='schools.school', verbose_name='学校')),
            ],
            options={
                'verbose_name': '试点项目',
                'verbose_name_plural': '试点项目',
                'ordering': ['school', 'certificate_level'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('school', 'certificate_level'), name='programme_one_open', violation_error_message='该校已有此证书等级的试点项目。'), models.CheckConstraint(condition=models.Q(('ended_at__isnull', True), ('ended_at__gt', models.F('started_at')), _connector='OR'), name='programme_order')],
            },
        ),
        migrations.CreateModel(
            name='AnnualPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('year', models.PositiveSmallIntegerField(verbose_name='年度')),
                ('candidates', models.PositiveIntegerField(verbose_name='拟考证人数')),
                ('programme', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='plans', to='schools.programme', verbose_name='试点项目')),
            ],
            options={
                'verbose_name': '年度计划',
                'verbose_name_plural': '年度计划',
                'ordering': ['programme', 'year'],
                'constraints': [models.UniqueConstraint(fields=('programme', 'year'), name='plan_one_a_year')],
            },
        ),
    ]
