##@ Tenure
.PHONY: help run test fuzz bench build settings format

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Install what is missing, build, and start a whole Tenure on http://localhost:8080
	@deploy/setup.sh
	swift build --product tenure
	@.build/debug/tenure dev $(ARGS)

test: ## Install what is missing and run the whole suite on a Postgres and a Redis of its own
	@deploy/setup.sh test
	@deploy/test.sh $(ARGS)

fuzz: ## Let libFuzzer loose on one parser: TARGET=jws SECONDS=600
	@deploy/setup.sh test
	@deploy/fuzz.sh $(TARGET) $(SECONDS)

bench: ## Measure the product against its bars: ROWS=token-es256,code RUNS=3 TENANTS=1,100,1000 SECONDS=5
	@deploy/setup.sh bench
	@deploy/bench.sh $(if $(ROWS),--rows $(ROWS)) $(if $(RUNS),--runs $(RUNS)) $(if $(TENANTS),--tenants $(TENANTS)) $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

build: ## Build everything, tests included
	@deploy/setup.sh test
	swift build --build-tests

settings: ## Write the table of settings into the README
	@deploy/settings.sh

format: ## Format the sources
	swift format format --in-place --recursive --parallel Sources Tests Benchmarks migrations Package.swift
