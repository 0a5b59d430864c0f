using HeartGrains.Diagnostics;
using HeartGrains.Hosting;

namespace HeartGrains.Silo;

/// <summary>The silo as a role: of its own program, and of the one-file program.</summary>
public static class SiloRole
{
    /// <summary>What a silo is made of.</summary>
    public static Role Silo { get; } = new("silo", "keeps hearts: a member of a cluster, over PostgreSQL and Redis", DefaultPort: 8090, SiloHosting.Features, static builder =>
    {
        builder.AddSilo();
        builder.AddTraces();

        var app = builder.Build();
        app.MapOperations();
        app.MapDashboard();
        return app;
    })
    {
        Mode = HostMode.Cluster,
    };
}
