using System.Text;
using HeartGrains.Gateway.Hearts;

namespace HeartGrains.Gateway.Live;

/// <summary>A target's state as it is sent. Made once, however many watch: the message that holds it alone, from which others take its object.</summary>
internal sealed class LiveState
{
    private static readonly int PrefixLength = Prefix.Length;
    private static readonly int SuffixLength = Suffix.Length;

    public LiveState(string targetId, long count, long version)
    {
        (TargetId, Count, Version) = (targetId, count, version);
        Message = HeartJson.Start().Raw(Prefix).Raw("{\"target_id\":"u8).Text(targetId).Raw(",\"count\":"u8).Number(count).Raw(",\"version\":"u8).Number(version).Raw("}"u8)
            .Raw(Suffix).ToArray();
    }

    /// <summary>What a message of updates begins with.</summary>
    public static ReadOnlySpan<byte> Prefix => "{\"updates\":["u8;

    /// <summary>What it ends with.</summary>
    public static ReadOnlySpan<byte> Suffix => "]}"u8;

    public string TargetId { get; }

    public long Count { get; }

    public long Version { get; }

    /// <summary>A message with this update alone.</summary>
    public ReadOnlyMemory<byte> Message { get; }

    /// <summary>The update in it.</summary>
    public ReadOnlySpan<byte> Update => Message.Span[PrefixLength..^SuffixLength];

    /// <inheritdoc/>
    public override string ToString() => Encoding.UTF8.GetString(Message.Span);
}

/// <summary>A target that somebody watches here, as this gateway knows it. All but its state belongs to the hub and its lock.</summary>
internal sealed class LiveTopic(string targetId)
{
    private volatile LiveState? _state;

    public string TargetId { get; } = targetId;

    /// <summary>The latest state heard of; null before a silo has told. Versions only grow.</summary>
    public LiveState? State
    {
        get => _state;
        set => _state = value;
    }

    public List<LiveSubscription> Subscriptions { get; } = [];

    /// <summary>When the silos are to be asked next.</summary>
    public long DueAt { get; set; } = long.MaxValue;

    /// <summary>A call to a silo is under way.</summary>
    public bool IsCalling { get; set; }

    /// <summary>What that call answers may be of a silo that has gone: ask again.</summary>
    public bool IsDoubtful { get; set; }

    /// <summary>Calls that failed in a row.</summary>
    public int Failures { get; set; }

    /// <summary>From when on it may be told again.</summary>
    public long TellFrom { get; set; } = long.MinValue;

    /// <summary>It has changed, and waits for that.</summary>
    public bool IsHeldBack { get; set; }
}

/// <summary>One connection's watch of one target.</summary>
internal sealed class LiveSubscription(LiveTopic topic, LiveOutbox outbox)
{
    public LiveTopic Topic { get; } = topic;

    public LiveOutbox Outbox { get; } = outbox;

    /// <summary>Where it stands in its topic's list: it is taken out without a search. The hub's.</summary>
    public int Place { get; set; } = -1;

    /// <summary>The last version the client was told, or said to know; −1 before any. The outbox's.</summary>
    public long SentVersion { get; set; } = -1;

    /// <summary><see cref="SentVersion"/> is what the client said, and nothing that it was sent. The outbox's.</summary>
    public bool IsClaim { get; set; } = true;

    /// <summary>What the connection was told before it watched the target anew: nothing older is. The outbox's.</summary>
    public long Floor { get; set; }

    /// <summary>It waits to be sent. The outbox's.</summary>
    public bool IsPending { get; set; }

    /// <summary>The client knows that it cannot be read now. The hub's.</summary>
    public bool IsToldUnavailable { get; set; }

    /// <summary>It is watched no more, and what waits is not sent. The outbox's.</summary>
    public bool IsOver { get; set; }
}
