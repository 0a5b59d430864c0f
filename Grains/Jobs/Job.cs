using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using HeartGrains.Hearts;

namespace HeartGrains.Jobs;

/// <summary>A long operation as it is stored: a row that its work moves on from page to page.</summary>
/// <param name="Id">Its name: <c>j</c> and 22 characters of base64url.</param>
/// <param name="Kind">What is done.</param>
/// <param name="Subject">The keyed hash of whom or what it is done to.</param>
/// <param name="Arguments">A JSON object for the work, in front of which stands the network, if one is kept; null when it has ended.</param>
/// <param name="State">How it stands.</param>
/// <param name="Checkpoint">Where the next page begins, in the work's own words; null at the start and when it has ended.</param>
/// <param name="Progress">A JSON object for others to see, without users.</param>
/// <param name="Step">Pages done: whoever stores a page must have seen the one before it.</param>
/// <param name="Actor">Who asked.</param>
/// <param name="StartedMicros">When it was asked for, in microseconds since 1970-01-01 UTC.</param>
/// <param name="FinishedMicros">When it ended.</param>
public sealed record Job(
    string Id, string Kind, string Subject, string? Arguments, JobState State, string? Checkpoint, string Progress, long Step, string Actor, long StartedMicros, long? FinishedMicros)
{
    private const string NetworkStart = "{\"network\":\"";

    /// <summary>A new one.</summary>
    public static Job Of(JobOrder order, string subject, long startedMicros) => new(
        "j" + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)), order.Kind, subject, WithNetwork(order), JobState.Running, null, "{}", 0, order.Actor, startedMicros, null);

    /// <summary>The key of its grain.</summary>
    public string Key => KeyOf(Kind, Subject);

    /// <summary>From where it was asked for, if that is kept; null when it has ended.</summary>
    public string? Network => Arguments?.StartsWith(NetworkStart, StringComparison.Ordinal) is true ? Arguments[NetworkStart.Length..Arguments.IndexOf('"', NetworkStart.Length)] : null;

    /// <summary>The origin of what it changes.</summary>
    public HeartOrigin Origin(HeartCause cause) => new(Actor, Network, cause, Id);

    /// <summary>The number of its <paramref name="ordinal"/>th decision, the same whenever the page is done again.</summary>
    public long DecisionId(int ordinal) =>
        BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{Id}:{ordinal}"))));

    /// <summary>As others may see it.</summary>
    public JobView ToView() => new(Id, Kind, State, Progress, Actor, StartedMicros, FinishedMicros);

    /// <summary>That it has ended as it was asked for, with nothing to do.</summary>
    public JobReply ToReply(string progress) => new(HeartOutcome.Committed, After(JobPage.Done(progress), StartedMicros).ToView());

    /// <summary>What is left of it after a page.</summary>
    public Job After(JobPage page, long nowMicros) => page.State == JobState.Running
        ? this with { Checkpoint = page.Checkpoint, Progress = page.Progress, Step = Step + 1 }
        : this with { State = page.State, Arguments = null, Checkpoint = null, Progress = page.Progress, Step = Step + 1, FinishedMicros = nowMicros };

    /// <summary>The key of the grain that works on it.</summary>
    public static string KeyOf(string kind, string subject) => $"j:{kind}:{subject}";

    /// <summary>Kind and subject of a key.</summary>
    public static (string Kind, string Subject) Parse(string key)
    {
        var kindEnd = key.IndexOf(':', 2);
        return (key[2..kindEnd], key[(kindEnd + 1)..]);
    }

    // Digits, dots, colons and a slash: nothing of it is escaped.
    private static string WithNetwork(JobOrder order) => order.Network is { } network
        ? $"{NetworkStart}{network}\"{(order.Arguments == "{}" ? "" : ",")}{order.Arguments[1..]}"
        : order.Arguments;
}
