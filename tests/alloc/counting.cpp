// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <alloc/counting.hpp>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> calls_so_far{0}, bytes_so_far{0};

void* counted(std::size_t bytes) {
  ++calls_so_far;
  bytes_so_far += bytes;
  void* const memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

namespace counting {

std::size_t calls() { return calls_so_far; }
std::size_t bytes() { return bytes_so_far; }
void eigen_allocated() { ++calls_so_far; }

}  // namespace counting

// Nothing here asks for more alignment than malloc gives, so the aligned forms stay as they are.
void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
