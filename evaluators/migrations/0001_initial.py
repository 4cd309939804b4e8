import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Evaluator',
            fields=[
                ('organization', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='evaluator', serialize=False, to='accounts.organization', verbose_name='机构')),
            ],
            options={
                'verbose_name': '培训评价组织',
                'verbose_name_plural': '培训评价组织',
                'ordering': ['organization'],
            },
        ),
    ]
