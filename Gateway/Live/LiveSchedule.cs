namespace HeartGrains.Gateway.Live;

/// <summary>When each topic's silo is to be asked next. One entry counts for each topic; those overtaken by an earlier one are passed over.</summary>
internal sealed class LiveSchedule
{
    private readonly PriorityQueue<LiveTopic, long> _queue = new();

    /// <summary>When the first is due.</summary>
    public long Next => _queue.TryPeek(out _, out var due) ? due : long.MaxValue;

    /// <summary>Due at a moment, whatever was planned.</summary>
    public void Set(LiveTopic topic, long due)
    {
        topic.DueAt = due;
        _queue.Enqueue(topic, due);
    }

    /// <summary>Not due any more.</summary>
    public static void Cancel(LiveTopic topic) => topic.DueAt = long.MaxValue;

    /// <summary>Takes a topic that is due.</summary>
    public bool TryTake(long now, out LiveTopic topic)
    {
        while (_queue.TryPeek(out topic!, out var due) && due <= now)
        {
            _queue.Dequeue();
            if (topic.DueAt != due) continue;
            topic.DueAt = long.MaxValue;
            return true;
        }

        topic = null!;
        return false;
    }
}
