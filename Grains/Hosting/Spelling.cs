namespace HeartGrains.Hosting;

/// <summary>Finds the word that was probably meant.</summary>
internal static class Spelling
{
    public static string Nearest(string word, IEnumerable<string> candidates) =>
        candidates.MinBy(candidate => Distance(word.ToUpperInvariant(), candidate.ToUpperInvariant()))!;

    /// <summary>Levenshtein's edit distance.</summary>
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var cost = left[i - 1] == right[j - 1] ? diagonal : diagonal + 1;
                diagonal = row[j];
                row[j] = Math.Min(cost, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
