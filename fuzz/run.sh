#!/bin/sh
# Runs every fuzz target for so many seconds each (first word, 60 unless told); further words
# name the targets to run. A crash, a hang or too much memory fails the run and leaves the input
# in fuzz/artifacts.
#
# The targets have the layout of cargo-fuzz and run with it too. This script needs neither
# cargo-fuzz nor a nightly compiler: the coverage pass is in every rustc, and an address sanitizer
# has little to find where `unsafe` is forbidden.
set -u
cd "$(dirname "$0")" || exit 2
seconds=${1:-60}
[ $# -gt 0 ] && shift
targets=${*:-$(sed -n 's/^name = "\([a-z_]*\)"$/\1/p' Cargo.toml)}
host=$(rustc -vV | sed -n 's/^host: //p')
# For the host by name, so that the flags do not reach build scripts.
for pass in level=4 inline-8bit-counters pc-table trace-compares; do
    flags="${flags:-} -Cllvm-args=-sanitizer-coverage-$pass"
done
RUSTFLAGS="-Cpasses=sancov-module$flags" cargo build --locked --release --target "$host" --bins || exit 2

failed=
for target in $targets; do
    found=target/corpus/$target
    mkdir -p "$found" "artifacts/$target"
    echo "fuzz $target: $seconds s"
    # 10 s for one input leave room for a busy machine; 64 KiB hold every seed.
    "target/$host/release/$target" "$found" "corpus/$target" -max_total_time="$seconds" \
        -timeout=10 -rss_limit_mb=512 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="artifacts/$target/" >"target/$target.log" 2>&1
    status=$?
    sed -n 's/^stat::\(number_of_executed_units\|average_exec_per_sec\|slowest_unit_time_sec\|peak_rss_mb\): */  \1 /p' "target/$target.log"
    if [ $status -ne 0 ]; then
        failed="$failed $target"
        tail -n 40 "target/$target.log"
    fi
done
[ -z "$failed" ] || { echo "fuzz: FAILED:$failed"; exit 1; }
echo "fuzz: no target failed"
