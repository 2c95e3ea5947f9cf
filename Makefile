# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT

# Short names for the presets in CMakePresets.json. Everything lands under build/.
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
dir := build/release

.PHONY: help build test test-wide demo bench clean format
help:
	@echo 'make build    the command line program ($(dir)/divot), the examples and the benchmarks'
	@echo 'make test     build and run the tests'
	@echo 'make test-wide  those that take long to compile: variants, programs, examples'
	@echo 'make demo     distil a small network and write build/demo/report.html'
	@echo 'make bench    run the benchmarks, results in build/bench/*.json'
	@echo 'make format   clang-format over all sources'
	@echo 'make clean    remove build/'

build:
	tools/install-deps build
	cmake --preset release
	cmake --build $(dir) -j $(JOBS)

test:
	tools/install-deps build test
	cmake --preset release
	cmake --build $(dir) -j $(JOBS) --target all_tests
	ctest --preset release

test-wide:
	tools/install-deps build test
	cmake --preset release
	cmake --build $(dir) -j $(JOBS) --target wide_tests
	ctest --preset wide

# On a fresh tree, leave out what the demo does not need; a later `cmake --preset` brings it back.
demo:
	tools/install-deps demo
	test -f $(dir)/build.ninja || cmake --preset release -DDIVOT_BUILD_TESTS=OFF -DDIVOT_BUILD_BENCH=OFF
	cmake --build $(dir) -j $(JOBS) --target digits
	mkdir -p build/demo
	$(dir)/digits --out build/demo

bench:
	tools/install-deps build
	cmake --preset release
	cmake --build $(dir) -j $(JOBS) --target all_bench
	mkdir -p build/bench
	for bench in $(dir)/bench_*; do \
	  "$$bench" --benchmark_out="build/bench/$${bench##*/bench_}.json" --benchmark_out_format=json || exit 1; \
	done

format:
	tools/install-deps format
	git ls-files --cached --others --exclude-standard -- '*.hpp' '*.cpp' '*.cuh' '*.cu' | xargs -r clang-format -i

clean:
	rm -rf build
