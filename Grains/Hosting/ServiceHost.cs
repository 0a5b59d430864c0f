using System.Net;
using System.Net.Sockets;
using HeartGrains.Diagnostics;
using HeartGrains.Resilience;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeartGrains.Hosting;

/// <summary>What gateway and silo have in common as programs: settings, the HTTP listener, errors at start that teach.</summary>
public static class ServiceHost
{
    /// <summary>A builder whose settings are read and checked, of a program that is none of the roles; <paramref name="features"/> names the sections beside the host's own.</summary>
    public static WebApplicationBuilder CreateBuilder(string[] args, int defaultPort, IReadOnlyDictionary<string, Type> features) =>
        CreateBuilder(args, new Role("", "", defaultPort, features, static builder => builder.Build()));

    /// <summary>A builder whose settings are read and checked, and whose port is free.</summary>
    public static WebApplicationBuilder CreateBuilder(string[] args, Role role)
    {
        var builder = ReadSettings(args, role, isToStart: true);
        var settings = builder.Settings();
        builder.RequireFreePort(IPAddress.Parse(settings.Listen), settings.Port);
        return builder;
    }

    /// <summary>The same without the port; a program that is not to start may be asked about beside one that runs.</summary>
    internal static WebApplicationBuilder ReadSettings(string[] args, Role role, bool isToStart)
    {
        Switches.Check(args);
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, ApplicationName = role.ApplicationName });
        builder.Configuration.AddBuiltInSettings(role.Assembly, AppContext.BaseDirectory);
        builder.Configuration.AddLogLevels();
        builder.Configuration.AddSettingsFiles(args);
        builder.Configuration.AddEnvironmentVariables().AddCommandLine(args, Switches.Mappings);
        SettingsCheck.Check(builder.Configuration, role.Features);
        BreakDurations.Fit(builder.Configuration.Read<BreakersOptions>(BreakersOptions.SectionName), builder.Configuration);

        var settings = builder.Configuration.Read<HostSettings>();
        if (role.Mode is { } mode) settings.Mode = mode;
        if (settings.Port == 0 && builder.Configuration["HeartGrains:Port"] is null) settings.Port = role.DefaultPort;
        if (!IPAddress.TryParse(settings.Listen, out var address))
            throw StartException.Setting("HeartGrains:Listen", $"'{settings.Listen}' is not an IP address");

        if (!isToStart) builder.Services.AddSingleton<NotToStart>();
        builder.Services.AddSingleton(settings);
        builder.Services.TryAddTimeProvider();
        builder.Services.AddHostedService<MeterBridge>();

        if (settings.Logs == LogFormat.Json)
        {
            builder.Logging.AddJsonConsole(json =>
            {
                json.UseUtcTimestamp = true;
                json.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
            });
        }

        // This log alone makes the server open an activity and a log scope for every request.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);

        // What keeps the program from starting is told by RunAsync; the host would print its stack trace first.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;

            // Twice the default: a parameter that is too long shall reach the check that names it.
            kestrel.Limits.MaxRequestLineSize = 16 * 1024;
            kestrel.Listen(address, settings.Port);
        });
        builder.AddAdminPort(settings);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(20));
        return builder;
    }

    /// <summary>Runs a program; what stops it from starting is told in one line on standard error, with exit code 1.</summary>
    internal static async Task<int> RunAsync(Func<Task> run)
    {
        try
        {
            await run();
            return 0;
        }
        catch (Exception exception) when (Explain(exception) is { } line)
        {
            await Console.Error.WriteLineAsync("heartgrains: " + line);
            return 1;
        }
    }

    /// <summary>Asked before anything starts: found out later, the lesson would stand between the stack traces of all that has to stop again.</summary>
    public static void RequireFreePort(this WebApplicationBuilder builder, IPAddress address, int port, string section = HostSettings.Section)
    {
        if (builder.Services.Any(static service => service.ServiceType == typeof(NotToStart))) return;
        try
        {
            using var probe = new TcpListener(address, port);
            probe.Start();
        }
        catch (SocketException exception)
        {
            throw CannotListen(exception, address, port, section);
        }
    }

    internal static StartException CannotListen(SocketException exception, IPAddress address, int port, string section = HostSettings.Section) => exception.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse =>
            new($"The port is taken: {address}:{port}. Choose another ({StartException.Spellings($"{section}:Port")})."),
        SocketError.AccessDenied => StartException.Setting($"{section}:Port", $"The system lets this user not listen on port {port}; choose one above 1023"),
        SocketError.AddressNotAvailable => StartException.Setting($"{section}:Listen", $"'{address}' is no address of this machine"),
        _ => StartException.Setting($"{section}:Listen", $"Nothing can listen on '{address}': {exception.Message}"),
    };

    private static string? Explain(Exception exception) => exception switch
    {
        StartException or Ledger.LedgerException or OptionsValidationException => exception.Message,
        AddressInUseException => $"The port is taken: {exception.Message}. Choose another ({StartException.Spellings("HeartGrains:Port")}).",
        IOException { InnerException: AddressInUseException inner } =>
            $"The port is taken: {inner.Message}. Choose another ({StartException.Spellings("HeartGrains:Port")}).",
        AggregateException { InnerExceptions.Count: > 0 } many => Explain(many.InnerExceptions[0]),
        { InnerException: { } inner } => Explain(inner),
        _ => null,
    };

    private static void TryAddTimeProvider(this IServiceCollection services) => services.AddSingleton(TimeProvider.System);

    /// <summary>Among the services of a program that is built to be looked at only.</summary>
    private sealed class NotToStart;
}
