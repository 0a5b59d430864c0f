namespace HeartGrains.Audit;

/// <summary>Kinds of <see cref="Finding"/>, which are labels of a metric: few, and stable.</summary>
public static class FindingKinds
{
    /// <summary>The grain tells another count or version than the log, and can be made to read it again.</summary>
    public const string Grain = "grain";

    /// <summary>The row of the target tells another count or version, and can be made anew.</summary>
    public const string Count = "count";

    /// <summary>The current hearts are not those of the log, and can be made anew.</summary>
    public const string Hearts = "hearts";

    /// <summary>Versions of the log are missing.</summary>
    public const string Gap = "gap";

    /// <summary>A heart is given twice, or taken back without having been given.</summary>
    public const string Order = "order";

    /// <summary>A keyed hash is not that of what it stands for.</summary>
    public const string Key = "key";

    /// <summary>A user's name is replaced where nobody was forgotten, or not as often as was said.</summary>
    public const string Tombstone = "tombstone";

    /// <summary>The opening balance is another than was decided.</summary>
    public const string Opening = "opening";

    /// <summary>A target or a user is told otherwise than was decided.</summary>
    public const string Rule = "rule";

    /// <summary>A block or a seal is not as it was sealed.</summary>
    public const string Chain = "chain";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Grain, Count, Hearts, Gap, Order, Key, Tombstone, Opening, Rule, Chain];

    /// <summary>Whether the log is whole, and what is read from it can be made anew.</summary>
    public static bool IsRepairable(string kind) => kind is Grain or Count or Hearts;
}
