// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <parity/parity.hpp>

// The library asks OpenMP for the number of processors and never starts more threads than that.
// This answer makes every test run with as many threads as it names, on any machine.
#if defined(__clang__)  // whose omp.h declares it without noexcept
extern "C" int omp_get_num_procs() { return 16; }
#else
extern "C" int omp_get_num_procs() noexcept { return 16; }
#endif

namespace parity {

template <class T>
answer<T> run(policy const& p, loss what, call<T> const& c) {
  switch (p.kind) {
    case policy::sequential:
      return run_seq(what, c);
    case policy::packs:
      return run_simd(what, c);
    case policy::threaded:
      break;
  }
  return run_omp(p.threads, what, c);
}
template <>
answer<long double> run(policy const&, loss what, call<long double> const& c) {
  return run_seq(what, c);
}
template answer<float> run(policy const&, loss, call<float> const&);
template answer<double> run(policy const&, loss, call<double> const&);

}  // namespace parity
