using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;

namespace HeartGrains.Diagnostics;

/// <summary>
/// Levels of categories that write a line, or a stack trace, for each call that fails: an outage would fill the disk, and their lines name the grain, whose key is a
/// user or a target. What they tell is counted by metrics and told by lines of ours, once a second. A setting <c>Logging:LogLevel:…</c> of the same category, or of one below it, takes precedence; so does any of a provider, such as <c>Logging:Console:LogLevel:Default</c>.
/// </summary>
internal static class LogLevels
{
    private const string Section = "Logging:LogLevel:";

    private static readonly string[] Silent =
    [
        // Activations, and what their methods and their storage throw.
        "Orleans.Grain",
        "Orleans.Storage",
        "Orleans.Runtime.Catalog",
        "Orleans.Runtime.GrainDirectory",
        "Orleans.Runtime.GrainTimer",
        "Orleans.Runtime.Scheduler",
        "HeartGrains.Storage.NamelessGrainStorage",
        "HeartGrains.Storage.ProcessGrainStorage",

        // Messages that were late, lost, turned away or not understood.
        "Orleans.Messaging",
        "Orleans.Runtime.Messaging.Connection",
        "Orleans.Runtime.Messaging.MessageCenter",
        "Orleans.Runtime.CallbackData",
        "Orleans.Runtime.HostedClient",
        "Orleans.Runtime.InsideRuntimeClient",
        "Orleans.InvokableObjectManager",
        "Orleans.OutsideRuntimeClient",

        // How Orleans tries again to place a grain; our own pipelines do not log.
        "Polly",

        // A probe of a process that is not ready has its answer.
        "Microsoft.Extensions.Diagnostics.HealthChecks",
    ];

    // Beginnings of the above that tell of silos only.
    private static readonly string[] Warning =
    [
        "Orleans.Messaging.GatewayManager",
        "Orleans.Runtime.Messaging.ConnectionManager",
        "Orleans.Runtime.Messaging.ConnectionListener",
    ];

    /// <summary>Puts them below all other settings.</summary>
    public static void AddLogLevels(this IConfigurationBuilder configuration) => configuration.Sources.Insert(0, new MemoryConfigurationSource
    {
        InitialData =
        [
            .. Silent.Select(static category => KeyValuePair.Create(Section + category, (string?)"None")),
            .. Warning.Select(static category => KeyValuePair.Create(Section + category, (string?)"Warning")),
        ],
    });
}
