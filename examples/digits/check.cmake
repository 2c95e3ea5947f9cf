# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT

# cmake -D program=… -D out=… -P check.cmake: a short demonstration must print a line for every
# loss, with accuracies that only a student that learned has, and write its report; flaws in the
# data must be named with file and line.

file(REMOVE_RECURSE "${out}")
execute_process(COMMAND "${program}" --quick --out "${out}"
                RESULT_VARIABLE code OUTPUT_VARIABLE table ERROR_VARIABLE errors)
message("${table}")
if(NOT code EQUAL 0)
  message(FATAL_ERROR "exit status ${code}: ${errors}")
endif()

string(REGEX MATCHALL "\n[^\n]* [0-9]+\\.[0-9]+ ± [^\n]*" rows "${table}")
list(LENGTH rows count)
if(count LESS 48)
  message(FATAL_ERROR "${count} rows instead of at least 48")
endif()
set(losses
  "labels only" "KL" "KL, T = 4" "reverse KL" "Jensen–Shannon" "total variation"
  "squared Hellinger" "α-β (0.2, 0.7)" "α-β (0.5, 0.5)" "α-β (0.8, 0.3)" "WSD 0.5" "skew KL 0.1"
  "GKD 0.1" "triangular" "Puri–Vincze 1.5" "Matusita 0.7" "arithmetic–geometric"
  "Österreicher–Vajda 2" "hockey stick 1.1" "Marton" "Vajda 1.5" "Rényi 2" "Sharma–Mittal (0.5, 2)"
  "γ-divergence 0.5" "skewed χ² 0.1" "both skew KLs 0.1" "√Jensen–Shannon" "KL, two teachers"
  "KL, top 3, bucket" "KL, softcap 5" "labels + 0.8 SinKD" "KL + 0.8 SinKD"
  "KL + 0.8 SinKD of labels" "0.1 labels + 0.9 KL of z-scores")
foreach(loss IN LISTS losses)
  string(FIND "${table}" "\n${loss}  " place)
  if(place EQUAL -1)
    message(FATAL_ERROR "no row for ${loss}")
  endif()
endforeach()
# Guessing gets a tenth of the images right. Short trainings leave the hard losses at two thirds.
foreach(row IN LISTS rows)
  string(REGEX MATCH " ([0-9]+)\\.[0-9]+ ± " unused "${row}")
  if(CMAKE_MATCH_1 LESS 50)
    message(FATAL_ERROR "too few right answers: ${row}")
  endif()
endforeach()
if(NOT EXISTS "${out}/report.html")
  message(FATAL_ERROR "no ${out}/report.html")
endif()

# expect_flaw(contents text): that file is refused with exit status 2 and this line.
function(expect_flaw contents text)
  set(data "${out}/flawed.csv")
  file(WRITE "${data}" "${contents}")
  execute_process(COMMAND "${program}" --out "${out}" --data "${data}"
                  RESULT_VARIABLE code OUTPUT_QUIET ERROR_VARIABLE errors)
  if(NOT code EQUAL 2 OR NOT errors STREQUAL "digits: ${data}${text}\n")
    message(FATAL_ERROR "exit status ${code} and '${errors}' instead of '${text}'")
  endif()
endfunction()
string(REPEAT "0," 64 blank)
expect_flaw("${blank}7\n1,2,3\n" ":2: only 3 of 65 numbers")
expect_flaw("${blank}7\n${blank}10\n" ":2: number 65 is 10; it must lie between 0 and 9")
expect_flaw("17,${blank}7\n" ":1: number 1 is 17; it must lie between 0 and 16")
expect_flaw("x\n" ":1: number 1 is not a whole number")
expect_flaw("${blank}7,\n" ":1: more than 65 numbers")
expect_flaw("${blank}7\n" ":1: the file ends here; more than 1157 images are needed")
string(REPEAT "${blank}7\n" 1200 sevens)
expect_flaw("${sevens}" ": the digit 0 stands in 0 of the first 1157 lines; at least 100 are needed")
execute_process(COMMAND "${program}" --data "${out}/absent.csv" RESULT_VARIABLE code
                ERROR_VARIABLE errors)
if(NOT code EQUAL 2 OR NOT errors STREQUAL "digits: ${out}/absent.csv: cannot be opened\n")
  message(FATAL_ERROR "exit status ${code} and '${errors}' for a file that does not exist")
endif()
