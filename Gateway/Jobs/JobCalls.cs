using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.Jobs;

namespace HeartGrains.Gateway.Jobs;

/// <summary>Starts a long operation, or joins it.</summary>
internal sealed class JobStart(JobOrder order) : GrainCall<JobReply>
{
    private IJobDeskGrain _grain = null!;

    public override void Address(GrainAddresses addresses) => _grain = addresses.JobDesk();

    protected override ValueTask<JobReply> SendAsync(CancellationToken cancellationToken) => _grain.StartAsync(order, cancellationToken);

    protected override HeartOutcome OutcomeOf(in JobReply value) => value.Outcome;
}

/// <summary>Looks at a long operation.</summary>
internal sealed class JobRead(string id) : GrainCall<JobReply>
{
    private IJobDeskGrain _grain = null!;

    public override void Address(GrainAddresses addresses) => _grain = addresses.JobDesk();

    protected override ValueTask<JobReply> SendAsync(CancellationToken cancellationToken) => _grain.ReadAsync(id, cancellationToken);

    protected override HeartOutcome OutcomeOf(in JobReply value) => value.Outcome;
}
