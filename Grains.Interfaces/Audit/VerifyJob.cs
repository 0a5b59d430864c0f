namespace HeartGrains.Audit;

/// <summary>The operation that compares the whole log with its seals, and all targets with the log.</summary>
public static class VerifyJob
{
    /// <summary>Its kind.</summary>
    public const string Kind = "verify";
}
