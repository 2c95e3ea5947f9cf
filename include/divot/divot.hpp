// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Everything for the host.
#include <divot/class_transport.hpp>
#include <divot/diagnostics.hpp>
#include <divot/divergence.hpp>
#include <divot/partial_sinkhorn.hpp>
#include <divot/self_test.hpp>
#include <divot/sinkd.hpp>
#include <divot/sinkhorn.hpp>
#include <divot/sinkhorn_batch.hpp>
#include <divot/sinkhorn_divergence.hpp>
#include <divot/softmax.hpp>
#include <divot/version.hpp>
#include <divot/wasserstein.hpp>
