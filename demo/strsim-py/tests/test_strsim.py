"""The port's own tests, each named after the upstream test that it answers to."""

import unittest

import strsim
from strsim import (
    damerau_levenshtein,
    hamming,
    jaro,
    jaro_winkler,
    levenshtein,
    normalized_damerau_levenshtein,
    normalized_levenshtein,
    osa_distance,
)


class StrsimTest(unittest.TestCase):
    def test_hamming_empty(self):
        self.assertEqual(0, hamming("", ""))

    def test_hamming_same(self):
        self.assertEqual(0, hamming("hamming", "hamming"))

    def test_hamming_diff(self):
        self.assertEqual(3, hamming("hamming", "hammers"))

    def test_hamming_diff_multibyte(self):
        self.assertEqual(2, hamming("hamming", "h香mmüng"))

    def test_hamming_unequal_length(self):
        with self.assertRaises(strsim.DifferentLengthArgs):
            hamming("ham", "hamming")

    def test_hamming_names(self):
        self.assertEqual(14, hamming("Friedrich Nietzs", "Jean-Paul Sartre"))

    def test_jaro_both_empty(self):
        self.assertEqual(1.0, jaro("", ""))

    def test_jaro_first_empty(self):
        self.assertEqual(0.0, jaro("", "jaro"))

    def test_jaro_second_empty(self):
        self.assertEqual(0.0, jaro("distance", ""))

    def test_jaro_same(self):
        self.assertEqual(1.0, jaro("jaro", "jaro"))

    def test_jaro_multibyte(self):
        self.assertAlmostEqual(0.818, jaro("testabctest", "testöঙ香test"), delta=0.001)
        self.assertAlmostEqual(0.818, jaro("testöঙ香test", "testabctest"), delta=0.001)

    def test_jaro_diff_short(self):
        self.assertAlmostEqual(0.767, jaro("dixon", "dicksonx"), delta=0.001)

    def test_jaro_diff_one_character(self):
        self.assertEqual(0.0, jaro("a", "b"))

    def test_jaro_diff_one_and_two(self):
        self.assertAlmostEqual(0.83, jaro("a", "ab"), delta=0.01)

    def test_jaro_diff_two_and_one(self):
        self.assertAlmostEqual(0.83, jaro("ab", "a"), delta=0.01)

    def test_jaro_diff_no_transposition(self):
        self.assertAlmostEqual(0.822, jaro("dwayne", "duane"), delta=0.001)

    def test_jaro_diff_with_transposition(self):
        self.assertAlmostEqual(0.944, jaro("martha", "marhta"), delta=0.001)

    def test_jaro_names(self):
        self.assertAlmostEqual(0.392, jaro("Friedrich Nietzsche", "Jean-Paul Sartre"), delta=0.001)

    def test_jaro_winkler_both_empty(self):
        self.assertEqual(1.0, jaro_winkler("", ""))

    def test_jaro_winkler_first_empty(self):
        self.assertEqual(0.0, jaro_winkler("", "jaro-winkler"))

    def test_jaro_winkler_second_empty(self):
        self.assertEqual(0.0, jaro_winkler("distance", ""))

    def test_jaro_winkler_same(self):
        self.assertEqual(1.0, jaro_winkler("Jaro-Winkler", "Jaro-Winkler"))

    def test_jaro_winkler_multibyte(self):
        self.assertAlmostEqual(0.89, jaro_winkler("testabctest", "testöঙ香test"), delta=0.001)
        self.assertAlmostEqual(0.89, jaro_winkler("testöঙ香test", "testabctest"), delta=0.001)

    def test_jaro_winkler_diff_short(self):
        self.assertAlmostEqual(0.813, jaro_winkler("dixon", "dicksonx"), delta=0.001)
        self.assertAlmostEqual(0.813, jaro_winkler("dicksonx", "dixon"), delta=0.001)

    def test_jaro_winkler_diff_one_character(self):
        self.assertEqual(0.0, jaro_winkler("a", "b"))

    def test_jaro_winkler_diff_no_transposition(self):
        self.assertAlmostEqual(0.840, jaro_winkler("dwayne", "duane"), delta=0.001)

    def test_jaro_winkler_diff_with_transposition(self):
        self.assertAlmostEqual(0.961, jaro_winkler("martha", "marhta"), delta=0.001)

    def test_jaro_winkler_names(self):
        self.assertAlmostEqual(
            0.562, jaro_winkler("Friedrich Nietzsche", "Fran-Paul Sartre"), delta=0.001
        )

    def test_jaro_winkler_long_prefix(self):
        self.assertAlmostEqual(0.911, jaro_winkler("cheeseburger", "cheese fries"), delta=0.001)

    def test_jaro_winkler_more_names(self):
        self.assertAlmostEqual(0.868, jaro_winkler("Thorkel", "Thorgier"), delta=0.001)

    def test_jaro_winkler_length_of_one(self):
        self.assertAlmostEqual(0.738, jaro_winkler("Dinsdale", "D"), delta=0.001)

    def test_jaro_winkler_very_long_prefix(self):
        self.assertAlmostEqual(
            1.0, jaro_winkler("thequickbrownfoxjumpedoverx", "thequickbrownfoxjumpedovery"), delta=0.001
        )

    def test_levenshtein_empty(self):
        self.assertEqual(0, levenshtein("", ""))

    def test_levenshtein_same(self):
        self.assertEqual(0, levenshtein("levenshtein", "levenshtein"))

    def test_levenshtein_diff_short(self):
        self.assertEqual(3, levenshtein("kitten", "sitting"))

    def test_levenshtein_diff_with_space(self):
        self.assertEqual(5, levenshtein("hello, world", "bye, world"))

    def test_levenshtein_diff_multibyte(self):
        self.assertEqual(3, levenshtein("öঙ香", "abc"))
        self.assertEqual(3, levenshtein("abc", "öঙ香"))

    def test_levenshtein_diff_longer(self):
        a = "The quick brown fox jumped over the angry dog."
        b = "Lorem ipsum dolor sit amet, dicta latine an eam."
        self.assertEqual(37, levenshtein(a, b))

    def test_levenshtein_first_empty(self):
        self.assertEqual(7, levenshtein("", "sitting"))

    def test_levenshtein_second_empty(self):
        self.assertEqual(6, levenshtein("kitten", ""))

    def test_normalized_levenshtein_diff_short(self):
        self.assertAlmostEqual(0.57142, normalized_levenshtein("kitten", "sitting"), delta=0.00001)

    def test_normalized_levenshtein_for_empty_strings(self):
        self.assertAlmostEqual(1.0, normalized_levenshtein("", ""), delta=0.00001)

    def test_normalized_levenshtein_first_empty(self):
        self.assertAlmostEqual(0.0, normalized_levenshtein("", "second"), delta=0.00001)

    def test_normalized_levenshtein_second_empty(self):
        self.assertAlmostEqual(0.0, normalized_levenshtein("first", ""), delta=0.00001)

    def test_normalized_levenshtein_identical_strings(self):
        self.assertAlmostEqual(1.0, normalized_levenshtein("identical", "identical"), delta=0.00001)

    def test_osa_distance_empty(self):
        self.assertEqual(0, osa_distance("", ""))

    def test_osa_distance_same(self):
        self.assertEqual(0, osa_distance("damerau", "damerau"))

    def test_osa_distance_first_empty(self):
        self.assertEqual(7, osa_distance("", "damerau"))

    def test_osa_distance_second_empty(self):
        self.assertEqual(7, osa_distance("damerau", ""))

    def test_osa_distance_diff(self):
        self.assertEqual(3, osa_distance("ca", "abc"))

    def test_osa_distance_diff_short(self):
        self.assertEqual(3, osa_distance("damerau", "aderua"))

    def test_osa_distance_diff_reversed(self):
        self.assertEqual(3, osa_distance("aderua", "damerau"))

    def test_osa_distance_diff_multibyte(self):
        self.assertEqual(3, osa_distance("öঙ香", "abc"))
        self.assertEqual(3, osa_distance("abc", "öঙ香"))

    def test_osa_distance_diff_unequal_length(self):
        self.assertEqual(6, osa_distance("damerau", "aderuaxyz"))

    def test_osa_distance_diff_unequal_length_reversed(self):
        self.assertEqual(6, osa_distance("aderuaxyz", "damerau"))

    def test_osa_distance_diff_comedians(self):
        self.assertEqual(5, osa_distance("Stewart", "Colbert"))

    def test_osa_distance_many_transpositions(self):
        self.assertEqual(4, osa_distance("abcdefghijkl", "bacedfgihjlk"))

    def test_osa_distance_diff_longer(self):
        a = "The quick brown fox jumped over the angry dog."
        b = "Lehem ipsum dolor sit amet, dicta latine an eam."
        self.assertEqual(36, osa_distance(a, b))

    def test_osa_distance_beginning_transposition(self):
        self.assertEqual(1, osa_distance("foobar", "ofobar"))

    def test_osa_distance_end_transposition(self):
        self.assertEqual(1, osa_distance("specter", "spectre"))

    def test_osa_distance_restricted_edit(self):
        self.assertEqual(4, osa_distance("a cat", "an abct"))

    def test_damerau_levenshtein_empty(self):
        self.assertEqual(0, damerau_levenshtein("", ""))

    def test_damerau_levenshtein_same(self):
        self.assertEqual(0, damerau_levenshtein("damerau", "damerau"))

    def test_damerau_levenshtein_first_empty(self):
        self.assertEqual(7, damerau_levenshtein("", "damerau"))

    def test_damerau_levenshtein_second_empty(self):
        self.assertEqual(7, damerau_levenshtein("damerau", ""))

    def test_damerau_levenshtein_diff(self):
        self.assertEqual(2, damerau_levenshtein("ca", "abc"))

    def test_damerau_levenshtein_diff_short(self):
        self.assertEqual(3, damerau_levenshtein("damerau", "aderua"))

    def test_damerau_levenshtein_diff_reversed(self):
        self.assertEqual(3, damerau_levenshtein("aderua", "damerau"))

    def test_damerau_levenshtein_diff_multibyte(self):
        self.assertEqual(3, damerau_levenshtein("öঙ香", "abc"))
        self.assertEqual(3, damerau_levenshtein("abc", "öঙ香"))

    def test_damerau_levenshtein_diff_unequal_length(self):
        self.assertEqual(6, damerau_levenshtein("damerau", "aderuaxyz"))

    def test_damerau_levenshtein_diff_unequal_length_reversed(self):
        self.assertEqual(6, damerau_levenshtein("aderuaxyz", "damerau"))

    def test_damerau_levenshtein_diff_comedians(self):
        self.assertEqual(5, damerau_levenshtein("Stewart", "Colbert"))

    def test_damerau_levenshtein_many_transpositions(self):
        self.assertEqual(4, damerau_levenshtein("abcdefghijkl", "bacedfgihjlk"))

    def test_damerau_levenshtein_diff_longer(self):
        a = "The quick brown fox jumped over the angry dog."
        b = "Lehem ipsum dolor sit amet, dicta latine an eam."
        self.assertEqual(36, damerau_levenshtein(a, b))

    def test_damerau_levenshtein_beginning_transposition(self):
        self.assertEqual(1, damerau_levenshtein("foobar", "ofobar"))

    def test_damerau_levenshtein_end_transposition(self):
        self.assertEqual(1, damerau_levenshtein("specter", "spectre"))

    def test_damerau_levenshtein_unrestricted_edit(self):
        self.assertEqual(3, damerau_levenshtein("a cat", "an abct"))

    def test_normalized_damerau_levenshtein_diff_short(self):
        self.assertAlmostEqual(
            0.27272, normalized_damerau_levenshtein("levenshtein", "löwenbräu"), delta=0.00001
        )

    def test_normalized_damerau_levenshtein_for_empty_strings(self):
        self.assertAlmostEqual(1.0, normalized_damerau_levenshtein("", ""), delta=0.00001)

    def test_normalized_damerau_levenshtein_first_empty(self):
        self.assertAlmostEqual(0.0, normalized_damerau_levenshtein("", "flower"), delta=0.00001)

    def test_normalized_damerau_levenshtein_second_empty(self):
        self.assertAlmostEqual(0.0, normalized_damerau_levenshtein("tree", ""), delta=0.00001)

    def test_normalized_damerau_levenshtein_identical_strings(self):
        self.assertAlmostEqual(
            1.0, normalized_damerau_levenshtein("sunglasses", "sunglasses"), delta=0.00001
        )


if __name__ == "__main__":
    unittest.main()
