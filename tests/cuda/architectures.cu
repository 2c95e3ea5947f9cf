// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <divot/cuda.cuh>

void distil(cudaStream_t stream, divot::device_view<float const> teacher,
            divot::device_view<float> student, double* loss) {
  divot::value_and_gradient(divot::cuda(stream), divot::kl{}, divot::logits(teacher, 2),
                            divot::logits(student, 2), student, {.loss = loss});
}

void transport(cudaStream_t stream, divot::device_view<float const> teacher,
               divot::device_view<float> student, double* loss) {
  divot::value_and_gradient(divot::cuda(stream), divot::sinkd{}, teacher, student, student,
                            {.loss = loss});
}
