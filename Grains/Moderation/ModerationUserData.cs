using System.Text.Json;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Users;

namespace HeartGrains.Moderation;

/// <summary>
/// What operators ordered about a user. The list of blocks knows users by a keyed hash, and a quarantine knows hearts by the events that gave them: the name stands in the log alone, and so it is the tombstone that both
/// tell once the log is done. The block itself stays, and what a quarantine holds is not given back.
/// </summary>
internal sealed class ModerationUserData(IModerationStore store, HeartKeys keys, TimeProvider time) : IUserData
{
    private const int QuarantineLimit = 1_000;

    /// <inheritdoc/>
    public ValueTask EraseAsync(string userId, string tombstone, CancellationToken cancellationToken) => default;

    /// <inheritdoc/>
    public async ValueTask ExportAsync(string userId, Action<Action<Utf8JsonWriter>> line, CancellationToken cancellationToken)
    {
        if (await store.FindBlockAsync(keys.OfUser(userId), time.NowMicros(), cancellationToken) is { } block)
        {
            line(json =>
            {
                json.WriteString("type"u8, "block"u8);
                Tell(json, block.SinceMicros, block.Actor, block.Reason);
                json.WriteString("until"u8, LogTime.TextOf(block.UntilMicros));
            });
        }

        foreach (var holds in await store.ListHoldsAsync(userId, QuarantineLimit, cancellationToken))
        {
            if (await store.FindQuarantineAsync(holds.Quarantine, cancellationToken) is not { } quarantine) continue;
            line(json =>
            {
                json.WriteString("type"u8, "quarantine"u8);
                json.WriteString("quarantine"u8, holds.Quarantine);
                Tell(json, quarantine.AtMicros, quarantine.Actor, quarantine.Reason);
                json.WriteNumber("hearts"u8, holds.Hearts);
            });
        }
    }

    private static void Tell(Utf8JsonWriter json, long atMicros, string actor, string reason)
    {
        json.WriteString("timestamp"u8, LogTime.TextOf(atMicros));
        json.WriteString("actor"u8, actor);
        json.WriteString("reason"u8, reason);
    }
}
