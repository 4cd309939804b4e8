import django.core.validators
import django.db.models.deletion
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0002_api_tokens'),
        ('accounts', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='Allocation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('year', models.PositiveSmallIntegerField(verbose_name='年度')),
                ('source', models.CharField(choices=[('central', '中央奖补'), ('province', '省级'), ('city', '市级'), ('school', '学校自筹')], max_length=10, verbose_name='来源')),
                ('document', models.CharField(max_length=80, verbose_name='文号')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14, validators=[django.core.validators.MinValueValidator(Decimal('0.01'))], verbose_name='金额（元）')),
                ('allocated_on', models.DateField(verbose_name='下达日期')),
                ('arrived_on', models.DateField(blank=True, null=True, verbose_name='到账日期')),
                ('created_at', models.DateTimeField(verbose_name='登记时间')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='allocations', to='accounts.organization', verbose_name='院校')),
            ],
            options={
                'verbose_name': '专项资金下达',
                'verbose_name_plural': '专项资金下达',
                'ordering': ['-year', 'organization', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('organization', 'year', 'source', 'document'), name='allocation_once', violation_error_message='该校该年度该来源的这一文号已经登记。'), models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='allocation_positive', violation_error_message='金额必须大于 0。'), models.CheckConstraint(condition=models.Q(('arrived_on__isnull', True), ('arrived_on__gte', models.F('allocated_on')), _connector='OR'), name='allocation_order', violation_error_message='到账日期不能早于下达日期。')],
            },
        ),
    ]
