// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// What the benchmarks of a device are made of.

#include <divot/exec/cuda.cuh>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <vector>

namespace {

using divot::check_cuda;
using divot::index;

void check(cudaError_t code, char const* call) { check_cuda(code, call, "the benchmark"); }

/// Device memory of numbers of any type.
class buffer {
 public:
  explicit buffer(std::size_t bytes) { check(cudaMalloc(&data_, bytes), "cudaMalloc"); }
  buffer(buffer const&) = delete;
  ~buffer() { cudaFree(data_); }
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void* data_ = nullptr;
};

/// Logits that look like some: uniform in [−4, 4), from a counter.
template <class Storage>
__global__ void fill(Storage* x, index count, unsigned seed) {
  for (index i = blockIdx.x * index(blockDim.x) + threadIdx.x; i < count;
       i += index(gridDim.x) * blockDim.x) {
    unsigned h = static_cast<unsigned>(i) * 2654435761u + seed;
    h ^= h >> 15;
    h *= 2246822519u;
    h ^= h >> 13;
    x[i] = static_cast<Storage>(static_cast<float>(h >> 8) * (8.f / 16777216.f) - 4.f);
  }
}

/// The median time of work(i) in seconds, over 15 runs behind 3 that are not counted.
template <class Work>
double median_time(cudaStream_t stream, Work const& work) {
  cudaEvent_t begin = nullptr, end = nullptr;
  check(cudaEventCreate(&begin), "cudaEventCreate");
  check(cudaEventCreate(&end), "cudaEventCreate");
  std::vector<float> times;
  for (int i = 0; i < 18; ++i) {
    check(cudaEventRecord(begin, stream), "cudaEventRecord");
    work(i);
    check(cudaEventRecord(end, stream), "cudaEventRecord");
    check(cudaEventSynchronize(end), "cudaEventSynchronize");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin, end), "cudaEventElapsedTime");
    if (i >= 3) times.push_back(milliseconds);
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  std::sort(times.begin(), times.end());
  return times[times.size() / 2] * 1e-3;
}

/// body(stream, the device's name), or words that there is no device.
template <class Body>
int on_device(Body const& body) {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::puts("skipped: no GPU");
    return 0;
  }
  cudaDeviceProp about{};
  check(cudaGetDeviceProperties(&about, 0), "cudaGetDeviceProperties");
  std::printf("%s, %d processors\n", about.name, about.multiProcessorCount);
  cudaStream_t stream = nullptr;
  check(cudaStreamCreate(&stream), "cudaStreamCreate");
  body(stream, about.name);
  cudaStreamDestroy(stream);
  return 0;
}

}  // namespace
