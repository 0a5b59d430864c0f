namespace HeartGrains.Gateway.Problems;

/// <summary>Why a request was refused before anything was done, field by field.</summary>
public sealed class Rejection(Problem problem, string detail)
{
    private const int MessageLimit = 20;
    private readonly List<(string Field, string Message)> _errors = [];

    /// <summary>The kind of problem.</summary>
    public Problem Problem { get; } = problem;

    /// <summary>What is wrong with this request.</summary>
    public string Detail { get; } = detail;

    /// <summary>Until when it will be refused, as RFC 3339 writes it; null when nobody knows.</summary>
    public string? Until { get; init; }

    /// <summary>The fields at fault, at most twenty messages, in the order found.</summary>
    public IReadOnlyList<(string Field, string Message)> Errors => _errors;

    /// <summary>Adds a message about a field.</summary>
    public Rejection Add(string field, string message)
    {
        if (_errors.Count < MessageLimit) _errors.Add((field, message));
        return this;
    }
}

/// <summary>A parsed request, or why it was refused.</summary>
public readonly record struct Parsed<T>(T Value, Rejection? Rejection);
