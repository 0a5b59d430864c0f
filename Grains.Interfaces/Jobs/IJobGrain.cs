using Orleans.Concurrency;

namespace HeartGrains.Jobs;

/// <summary>Long operations: start one, look at one. A stateless worker: any silo answers. Its key is 0.</summary>
[Alias("jobs.IJobDeskGrain")]
public interface IJobDeskGrain : IGrainWithIntegerKey
{
    /// <summary>Starts the operation, or joins the one of this kind about this subject that is not finished. It goes on by itself until it is.</summary>
    [Alias("Start")]
    ValueTask<JobReply> StartAsync(JobOrder order, CancellationToken cancellationToken = default);

    /// <summary>How an operation stands.</summary>
    [Alias("Read")]
    ValueTask<JobReply> ReadAsync(string id, CancellationToken cancellationToken = default);
}

/// <summary>
/// What works on the operations of one kind about one subject, one at a time. The grain key is <c>j:</c>, the kind, <c>:</c> and the subject's keyed hash, so that no user stands in it.
/// </summary>
[Alias("jobs.IJobGrain")]
public interface IJobGrain : IGrainWithStringKey
{
    /// <summary>See <see cref="IJobDeskGrain.StartAsync"/>.</summary>
    [Alias("Start")]
    ValueTask<JobReply> StartAsync(JobOrder order, CancellationToken cancellationToken = default);

    /// <summary>Goes on with what is not finished, unless it is being worked on.</summary>
    [Alias("Wake"), AlwaysInterleave]
    ValueTask WakeAsync();
}
