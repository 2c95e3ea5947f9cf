// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "problem.hpp"

#include <algorithm>
#include <random>

namespace bench {

template <class Storage>
void pool<Storage>::restore(std::size_t count) {
  std::copy_n(original.get(), count, student.get());
}

template <class Storage>
pool<Storage>& logits() {
  static pool<Storage> made = [] {
    // a table of normal numbers read at two coprime steps: as good here as drawing 40 million
    std::mt19937_64 random(20240607);
    std::normal_distribution<float> normal(0, 2);
    constexpr std::size_t size = 1 << 20;
    auto const table = std::make_unique_for_overwrite<float[]>(size);
    std::generate_n(table.get(), size, [&] { return normal(random); });
    pool<Storage> p;
    for (auto* part : {&p.teacher, &p.original, &p.student, &p.elsewhere}) {
      *part = make_numbers<Storage>(pool_size);
    }
    for (std::size_t i = 0; i < pool_size; ++i) {
      p.teacher[i] = static_cast<Storage>(table[i % (size - 3)]);
      p.original[i] = static_cast<Storage>(table[(i + size / 2) % (size - 5)]);
    }
    p.restore(pool_size);
    std::fill_n(p.elsewhere.get(), pool_size, Storage(0));
    return p;
  }();
  return made;
}

template struct pool<float>;
template struct pool<Eigen::bfloat16>;
template pool<float>& logits<float>();
template pool<Eigen::bfloat16>& logits<Eigen::bfloat16>();

}  // namespace bench
