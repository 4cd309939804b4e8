import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Certificate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, verbose_name='证书名称')),
                ('batch', models.CharField(blank=True, max_length=4, verbose_name='批次')),
                ('batch_basis', models.CharField(blank=True, max_length=120, verbose_name='批次依据')),
                ('source', models.CharField(blank=True, max_length=200, verbose_name='来源')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='accounts.organization', verbose_name='培训评价组织')),
            ],
            options={
                'verbose_name': '职业技能等级证书',
                'verbose_name_plural': '职业技能等级证书',
                'ordering': ['batch', 'name'],
                'indexes': [models.Index(fields=['name'], name='certificate_name_cfb1a6_idx')],
                'constraints': [models.UniqueConstraint(fields=('owner', 'name'), name='certificate_once')],
            },
        ),
        migrations.CreateModel(
            name='Major',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=8, verbose_name='专业代码')),
                ('name', models.CharField(max_length=60, verbose_name='专业名称')),
                ('level', models.CharField(max_length=20, verbose_name='层次')),
                ('category', models.CharField(blank=True, max_length=40, verbose_name='专业类')),
                ('catalogue', models.CharField(max_length=60, verbose_name='目录版本')),
            ],
            options={
                'verbose_name': '专业',
                'verbose_name_plural': '专业',
                'ordering': ['code'],
                'constraints': [models.UniqueConstraint(fields=('catalogue', 'level', 'code'), name='major_once')],
            },
        ),
        migrations.CreateModel(
            name='CertificateLevel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.PositiveSmallIntegerField(choices=[(1, '初级'), (2, '中级'), (3, '高级')], verbose_name='等级')),
                ('platform_id', models.CharField(blank=True, max_length=40, verbose_name='国家平台编号')),
                ('platform_state_on', models.DateField(blank=True, null=True, verbose_name='国家平台数据日期')),
                ('certificate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='levels', to='certificates.certificate', verbose_name='证书')),
            ],
            options={
                'verbose_name': '证书等级',
                'verbose_name_plural': '证书等级',
                'ordering': ['certificate', 'level'],
                'constraints': [models.UniqueConstraint(fields=('certificate', 'level'), name='certificate_level_once')],
            },
        ),
    ]
