namespace HeartGrains.LoadTest.Hearts;

/// <summary>How to check a history.</summary>
public sealed record HeartVerifyOptions
{
    /// <summary>Gateways to read through; reads of hearts are spread over them, counts are read through each.</summary>
    public required IReadOnlyList<Uri> Urls { get; init; }

    /// <summary>How long to wait until every gateway answers; default 10 s. The check goes on with those that do.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Reads in flight; default 64.</summary>
    public int Connections { get; init; } = 64;

    /// <summary>How long one read may be repeated before it counts as a violation; default 10 s.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long to wait for one answer; default 5 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>What was promised and not kept.</summary>
public enum HeartViolationKind
{
    /// <summary>A heart was acknowledged and is not there.</summary>
    Lost = 0,

    /// <summary>A heart was refused every time and is there.</summary>
    StoredThoughRefused = 1,

    /// <summary>A target counts fewer users than were acknowledged or are shown.</summary>
    CountTooLow = 2,

    /// <summary>A target counts more users than gave it a heart.</summary>
    CountTooHigh = 3,

    /// <summary>One heart was answered 201 twice.</summary>
    CreatedTwice = 4,

    /// <summary>A target could not be read, so nothing can be said about it.</summary>
    Unreadable = 5,
}

/// <summary>A broken promise.</summary>
public sealed record HeartViolation(HeartViolationKind Kind, string TargetId, string? UserId, string Detail);

/// <summary>How far a check is.</summary>
public sealed record HeartVerifyProgress(long Checked, long Total);

/// <summary>What a check found.</summary>
public sealed record HeartVerifyReport
{
    /// <summary>How many violations are kept one by one.</summary>
    public const int ViolationsKept = 20;

    /// <summary>Distinct hearts acknowledged.</summary>
    public required long Acknowledged { get; init; }

    /// <summary>Distinct hearts refused every time.</summary>
    public required long Refused { get; init; }

    /// <summary>Distinct hearts without a sure answer.</summary>
    public required long Unknown { get; init; }

    /// <summary>Those of <see cref="Unknown"/> that turned out to be stored.</summary>
    public required long UnknownStored { get; init; }

    /// <summary>Targets whose count was checked.</summary>
    public required long Targets { get; init; }

    /// <summary>How long the check took.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>How many violations there are.</summary>
    public required long ViolationCount { get; init; }

    /// <summary>The first of them, at most <see cref="ViolationsKept"/>.</summary>
    public required IReadOnlyList<HeartViolation> Violations { get; init; }

    /// <summary>Every promise was kept.</summary>
    public bool IsClean => ViolationCount == 0;
}
