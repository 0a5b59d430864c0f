namespace HeartGrains.Jobs;

/// <summary>
/// The work of one kind of long operation, registered by its feature. It is done page by page: what a page does must be safe to do again, for a crash before its checkpoint is stored repeats it, on this silo or another.
/// </summary>
public interface IJobWork
{
    /// <summary>Which operations it does.</summary>
    string Kind { get; }

    /// <summary>What can be said of a new operation at once, so that nothing is stored of it: that there is nothing to do, or a refusal. Null, as for most kinds, when it has to be worked on.</summary>
    ValueTask<JobReply?> AnswerAtOnceAsync(Job job, CancellationToken cancellationToken) => default;

    /// <summary>
    /// Does a bounded piece, from the job's checkpoint on, and says where the next begins. It takes seconds at most. An exception repeats the page after a rest, for ever: what cannot end otherwise says <see cref="JobPage.Failed"/>.
    /// </summary>
    ValueTask<JobPage> RunPageAsync(Job job, CancellationToken cancellationToken);
}

/// <summary>What a page did.</summary>
/// <param name="State">Whether more pages follow.</param>
/// <param name="Checkpoint">Where the next one begins.</param>
/// <param name="Progress">A JSON object for others to see, without users.</param>
public sealed record JobPage(JobState State, string? Checkpoint, string Progress)
{
    /// <summary>More follows.</summary>
    public static JobPage Next(string checkpoint, string progress) => new(JobState.Running, checkpoint, progress);

    /// <summary>That was the last.</summary>
    public static JobPage Done(string progress) => new(JobState.Done, null, progress);

    /// <summary>It cannot be done; the progress says why.</summary>
    public static JobPage Failed(string progress) => new(JobState.Failed, null, progress);
}
