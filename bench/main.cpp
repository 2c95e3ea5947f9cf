// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Runs everything several times in random order, so that a bad minute of the machine hits all
// alike, and prints one table of medians.
#include "cases.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>

namespace {

double median(std::vector<double> x) {
  if (x.empty()) return 0;
  std::sort(x.begin(), x.end());
  std::size_t const n = x.size();
  return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

class table : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(Context const&) override {
    std::fputs("Measuring in random order; the table comes at the end.\n", stderr);
    return true;
  }

  void ReportRuns(std::vector<Run> const& runs) override {
    for (Run const& run : runs) {
      if (run.run_type != Run::RT_Iteration) continue;
      line& l = lines_[run.family_index];
      l.name = run.run_name.function_name;
      if (run.error_occurred) {
        l.flaw = run.error_message;
        continue;
      }
      auto const counter = [&](char const* key) { return run.counters.at(key).value; };
      l.bytes = counter("bytes");
      l.threads = static_cast<int>(counter("workers"));
      l.least = std::min(l.least, counter("least") / counter("elements"));
      // microseconds to nanoseconds
      l.times.push_back(1e3 * run.GetAdjustedRealTime() / counter("elements"));
    }
  }

  void Finalize() override {
    std::printf("%38s |  median  spread  GB/s  of triad  two exp |   least  of triad  two exp\n",
                "");
    for (auto const& [index, l] : lines_) print(l);
    std::puts(
        "\nNanoseconds for a pair of logits, loss and gradient. Median over the repetitions, with "
        "the\n"
        "median absolute deviation; and least. GB/s: minimum traffic; of triad: its share of that "
        "of\n"
        "b += a on as many threads; two exp: CPU time over that of two exponentials from cache.");
  }

  bool good() const {
    return std::all_of(lines_.begin(), lines_.end(),
                       [](auto const& l) { return l.second.flaw.empty(); });
  }

 private:
  struct line {
    std::string name, flaw;
    std::vector<double> times;
    double bytes = 0, least = std::numeric_limits<double>::infinity();
    int threads = 1;

    double spread() const {
      std::vector<double> off;
      for (double const t : times) off.push_back(std::abs(t - median(times)));
      return median(off) / median(times);
    }
  };

  /// f of the line of that name; 0 if the command line left it out.
  template <class F>
  double of(std::string const& name, F const& f) const {
    for (auto const& [index, l] : lines_) {
      if (l.name == name) return f(l);
    }
    return 0;
  }

  void print(line const& l) const {
    if (!l.flaw.empty()) {
      std::printf("%-38s | WRONG: %s\n", l.name.c_str(), l.flaw.c_str());
      return;
    }
    std::printf("%-38s |", l.name.c_str());
    bool const in_cache = l.name == "two_exponentials" || l.name.find("/1x") != std::string::npos;
    auto const ratios = [&](auto const& time) {
      double const triad = of("triad/" + std::to_string(l.threads), time);
      double const exponentials = of("two_exponentials", time);
      if (in_cache || triad == 0) {
        std::printf("  %8s", "");
      } else {
        std::printf("  %7.0f%%", 100 * l.bytes / 12 * triad / time(l));
      }
      if (exponentials > 0) std::printf("  %7.2f", time(l) * l.threads / exponentials);
    };
    auto const middle = [](line const& x) { return median(x.times); };
    auto const least = [](line const& x) { return x.least; };
    std::printf(" %7.3f  %5.1f%%", middle(l), 100 * l.spread());
    if (in_cache) {
      std::printf("  %4s", "");
    } else {
      std::printf("  %4.1f", l.bytes / middle(l));
    }
    ratios(middle);
    std::printf(" | %7.3f", least(l));
    ratios(least);
    std::printf("\n");
  }

  std::map<std::int64_t, line> lines_;
};

std::string cpu() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

}  // namespace

int main(int argc, char** argv) {
  // defaults, which the command line may override
  std::vector<std::string> defaults{argv[0], "--benchmark_repetitions=9",
                                    "--benchmark_min_time=0.04",
                                    "--benchmark_enable_random_interleaving=true"};
  std::vector<char*> arguments;
  for (std::string& a : defaults) arguments.push_back(a.data());
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;

  benchmark::AddCustomContext("cpu", cpu());
#if defined(__clang__)
  benchmark::AddCustomContext("compiler", "Clang " __clang_version__);
#else
  benchmark::AddCustomContext("compiler", "GCC " __VERSION__);
#endif
  benchmark::AddCustomContext("flags", DIVOT_BENCH_FLAGS);

  bench::add_yardsticks();
  bench::add_kl();
  bench::add_others();
  bench::add_mixtures();
  bench::add_alpha_beta();
  bench::add_catalogue();
  bench::add_storage();
  table report;
  benchmark::RunSpecifiedBenchmarks(&report);
  benchmark::Shutdown();
  return report.good() ? 0 : 1;
}
