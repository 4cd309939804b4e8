# Everything starts here: `make help`.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
PY := $(VENV)/bin/python
APT := apt-get install -y --no-install-recommends
export PORT

.DEFAULT_GOAL := help
.PHONY: help setup run test embedded browser bench check lint format types migrations templates floors deploy format lock clean

help: ## 显示本说明
	@echo "用法:make <目标>"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' Makefile

# --- Set up: what is installed is keyed on the lock files.
setup: $(VENV)/.installed static/vendor/.package-lock.sha256 ## 安装依赖与前端文件(已是最新时立即返回)

$(VENV)/.installed: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "需要 Python 3.11 或更高版本,可用 PYTHON=python3.x make … 指定。"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "无法建立虚拟环境。Debian/Ubuntu 请先安装:apt-get install python3-venv"; exit 1; }
	@echo "安装依赖 …"
	@$(PY) -m pip --disable-pip-version-check install -q --require-hashes -r requirements.txt -r requirements-dev.txt
	@touch $@

static/vendor/.package-lock.sha256: package-lock.json core/management/frontend.py $(VENV)/.installed
	@$(PY) manage.py assets && touch $@

build/axe/.package-lock.sha256: package-lock.json core/management/frontend.py $(VENV)/.installed
	@$(PY) manage.py assets --with-tests && touch $@

# --- Run
run: setup ## 运行(含演示数据),按 Ctrl-C 结束;换端口:PORT=8123 make run
	@$(PY) manage.py migrate --noinput --verbosity 0
	@$(PY) manage.py load_reference
	@$(PY) manage.py demo --if-empty
	@exec $(PY) manage.py serve --with-parent

# --- Test: on SQLite, or on what DATABASE_URL and REDIS_URL name.
test: setup ## 运行测试(不需要浏览器与服务器);可加 ARGS="-k 名称"
	@$(PY) -m pytest -n auto --dist worksteal $(ARGS)

embedded: setup ## 测试 make run 本身:启动、重启、结束
	@$(PY) -m pytest -m embedded $(ARGS)

browser: setup build/axe/.package-lock.sha256 ## 浏览器测试(需要 chromium)
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		&& apt-get update -q && DEBIAN_FRONTEND=noninteractive $(APT) chromium fonts-noto-cjk </dev/null; } \
		|| { echo "需要 chromium 与中文字体。Debian 请先安装:apt-get install chromium fonts-noto-cjk"; exit 1; }
	@DJANGO_ALLOW_ASYNC_UNSAFE=1 $(PY) -m pytest -n auto --dist worksteal -m browser $(ARGS)

# On PostgreSQL: DATABASE_URL, or the server of this machine; in databases of its own.
bench: setup ## 测量 benchmarks/README.md 中的断言(需要 PostgreSQL);只测一项:ARGS=sweep
	@$(PY) -m benchmarks $(ARGS)

# --- Check: goes through all of them, then fails if any did.
check: setup ## 静态检查:格式、类型、迁移、模板、分层、部署设置
	@$(MAKE) --no-print-directory --keep-going lint types migrations templates floors deploy

lint:
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check

types:
	@$(VENV)/bin/mypy .

migrations:
	@$(PY) manage.py makemigrations --check --dry-run

# No formatter: it would put white space, which shows, between Chinese words.
templates:
	@$(VENV)/bin/djlint templates --lint --quiet

floors:
	@$(VENV)/bin/lint-imports --no-logo

deploy:
	@HTTPS=1 $(PY) manage.py check --deploy --fail-level WARNING

format: setup ## 整理代码的格式
	@$(VENV)/bin/ruff check --fix --exit-zero
	@$(VENV)/bin/ruff format

# --- Lock: `make lock UPGRADE=--upgrade` takes newer versions.
LOCK := build/uv/bin/uv --no-config pip compile -q --universal --python-version 3.11 --generate-hashes $(UPGRADE) \
	--custom-compile-command 'make lock'

lock: ## 重新锁定依赖(升级:make lock UPGRADE=--upgrade)
	@test -x build/uv/bin/uv || { $(PYTHON) -m venv build/uv && build/uv/bin/pip install -q uv; }
	@for name in requirements requirements-dev requirements-node; do \
		$(LOCK) $$name.in -o $$name.txt >/dev/null || exit 1; done
	@npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved

clean: ## 删除安装与构建产物,保留 var/ 中的数据
	@rm -rf $(VENV) build static/vendor .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
