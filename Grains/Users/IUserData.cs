using System.Text.Json;

namespace HeartGrains.Users;

/// <summary>What a feature holds about users beside the log: registered once by each that holds anything. It throws when its store cannot answer; whoever asked asks again.</summary>
public interface IUserData
{
    /// <summary>Forgets the user, or puts the tombstone in the name's place where a row must stay. Safe to call again.</summary>
    ValueTask EraseAsync(string userId, string tombstone, CancellationToken cancellationToken);

    /// <summary>Tells all of it, each piece one JSON object with the field <c>type</c>. Bounded: what can grow without end belongs in the log.</summary>
    ValueTask ExportAsync(string userId, Action<Action<Utf8JsonWriter>> line, CancellationToken cancellationToken);
}
