using System.Diagnostics;
using HeartGrains.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace HeartGrains.Diagnostics;

/// <summary>OpenTelemetry traces: from an HTTP request through grain calls to the ledger's commit.</summary>
public static class Traces
{
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string ProtocolVariable = "OTEL_EXPORTER_OTLP_PROTOCOL";
    private const string ServiceNameVariable = "OTEL_SERVICE_NAME";

    /// <summary>Where the ledger's spans begin.</summary>
    internal static ActivitySource Source { get; } = new("HeartGrains");

    /// <summary>The span that runs here, if it is recorded.</summary>
    internal static Activity? Current => Source.HasListeners() && Activity.Current is { Recorded: true } current ? current : null;

    /// <summary>Starts what goes on by itself and would otherwise carry on, for as long as it goes on, the trace of whoever happened to start it.</summary>
    public static Task<T> Detach<T>(Func<Task<T>> work)
    {
        if (ExecutionContext.IsFlowSuppressed()) return Task.Run(work);
        using (ExecutionContext.SuppressFlow()) return Task.Run(work);
    }

    /// <inheritdoc cref="Detach{T}"/>
    public static void Detach(Func<Task> work) => _ = Detach(async () =>
    {
        await work();
        return true;
    });

    /// <summary>Whether there is a collector to send spans to.</summary>
    public static bool HasTraces(this IConfiguration configuration) => !string.IsNullOrEmpty(EndpointOf(configuration).Value);

    /// <summary>Records and sends traces, where a collector is configured.</summary>
    public static void AddTraces(this WebApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        if (!configuration.HasTraces()) return;
        var (key, endpoint) = EndpointOf(configuration);
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw StartException.Setting(key, $"'{Secrets.Hide(key, endpoint ?? "")}' is not an address such as http://127.0.0.1:4317");

        // The exporter reads its settings under their standard names.
        var options = configuration.GetSection($"{HostSettings.Section}:{TraceOptions.Name}").Get<TraceOptions>() ?? new TraceOptions();
        configuration[EndpointVariable] = endpoint;
        if (options.Protocol is { } protocol) configuration[ProtocolVariable] = protocol == TraceProtocol.Grpc ? "grpc" : "http/protobuf";

        var name = configuration[ServiceNameVariable] ?? builder.Environment.ApplicationName;
        var settings = builder.Settings();
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(name, serviceInstanceId: $"{Environment.MachineName}:{settings.Port}"))
            .WithTracing(tracing => tracing
                .SetSampler(provider => new TraceSampler(options, provider.GetRequiredService<TimeProvider>()))
                .AddAspNetCoreInstrumentation(http => http.Filter = static context => IsTraced(context.Request.Path))
                .AddSource("Microsoft.Orleans.Application", "Npgsql", Source.Name)
                .AddProcessor(new NamelessSpans())
                .AddOtlpExporter());
    }

    // A connection that watches is no request: its span would last for hours.
    private static bool IsTraced(PathString path) =>
        path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase) && !path.StartsWithSegments("/api/v1/live", StringComparison.OrdinalIgnoreCase);

    private static (string Key, string? Value) EndpointOf(IConfiguration configuration)
    {
        const string Key = $"{HostSettings.Section}:{TraceOptions.Name}:{nameof(TraceOptions.Endpoint)}";
        return configuration[Key] is { Length: > 0 } value ? (Key, value) : (EndpointVariable, configuration[EndpointVariable]);
    }
}
