using HeartGrains.Hearts;

namespace HeartGrains.Users;

/// <summary>All that is held about a user. A stateless worker: any silo answers. Its key is 0.</summary>
[Alias("users.IUserGrain")]
public interface IUserGrain : IGrainWithIntegerKey
{
    /// <summary>A page of it, from <paramref name="after"/> on, which is null at the start and then what the page before said.</summary>
    [Alias("Export")]
    ValueTask<UserPage> ExportAsync(string userId, string? after, CancellationToken cancellationToken = default);
}

/// <summary>A page of what is held about a user.</summary>
/// <param name="Outcome"><see cref="HeartOutcome.Committed"/>, or <see cref="HeartOutcome.LedgerUnavailable"/>: ask again.</param>
/// <param name="Lines">JSON objects, each ended by a line feed.</param>
/// <param name="Next">Where the next page begins; null at the end.</param>
/// <param name="Hearts">Hearts among them.</param>
/// <param name="Events">Events among them.</param>
[GenerateSerializer, Immutable, Alias("users.UserPage")]
public sealed record UserPage(
    [property: Id(0)] HeartOutcome Outcome, [property: Id(1)] byte[] Lines, [property: Id(2)] string? Next, [property: Id(3)] int Hearts, [property: Id(4)] int Events);

/// <summary>Kinds of long operations about a user.</summary>
public static class UserJobs
{
    /// <summary>Forgets a user; its subject is a keyed hash of the name.</summary>
    public const string Erase = "erase-user";

    /// <summary>Moves an anonymous reader's hearts to an account.</summary>
    public const string Merge = "merge-user";
}
