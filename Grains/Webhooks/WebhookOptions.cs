using System.ComponentModel.DataAnnotations;
using System.Net;
using HeartGrains.Hosting;
using Microsoft.Extensions.Configuration;

namespace HeartGrains.Webhooks;

/// <summary>Who is told of changes: section <c>HeartGrains:Webhooks</c>, read at the start.</summary>
public sealed class WebhookOptions
{
    /// <summary>The section's name below <c>HeartGrains</c>.</summary>
    public const string Name = "Webhooks";

    /// <summary>The endpoints, at most 16. Default none.</summary>
    public List<WebhookEndpointOptions> Endpoints { get; set; } = [];

    /// <summary>Lets endpoints be on this machine, over plain HTTP too; for development. Default true in <c>dev</c>, else false.</summary>
    public bool? AllowLoopback { get; set; }

    /// <summary>How long an attempt may take; default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The wait after the first failure; it doubles with each, up to an hour. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a target's state is tried before it is a dead letter; default a day.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "7.00:00:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromDays(1);

    /// <summary>At most one message a target in so long; default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan Coalesce { get; set; } = TimeSpan.FromSeconds(1);
}

/// <summary>One endpoint as it is written down.</summary>
public sealed class WebhookEndpointOptions
{
    /// <summary>Names it in metrics, logs and calls: 1–40 characters <c>a–z 0–9 -</c>. Required; it stands for how far the endpoint has been told, so keep it when the URL changes.</summary>
    [RegularExpression("[a-z0-9-]{1,40}", ErrorMessage = "a name has 1 to 40 characters a–z, 0–9 or -")]
    public string? Name { get; set; }

    /// <summary>Where messages are posted: an https URL whose host is public. Required.</summary>
    [MaxLength(2048)]
    public string? Url { get; set; }

    /// <summary>Signs the messages: <c>whsec_</c> and the base64 of 24 to 64 bytes. Required.</summary>
    [RegularExpression(WebhookSignature.SecretPattern, ErrorMessage = "a secret is whsec_ and the base64 of 24 to 64 bytes")]
    public string? Secret { get; set; }

    /// <summary>The secret before it: messages are signed with both while receivers change over. Default none.</summary>
    [RegularExpression(WebhookSignature.SecretPattern, ErrorMessage = "a secret is whsec_ and the base64 of 24 to 64 bytes")]
    public string? PreviousSecret { get; set; }
}

/// <summary>An endpoint that may be called.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Url">Where messages go.</param>
/// <param name="Signature">Signs them.</param>
internal sealed record WebhookEndpoint(string Name, Uri Url, WebhookSignature Signature);

/// <summary>The endpoints, checked.</summary>
internal sealed class WebhookSettings
{
    private const int EndpointLimit = 16;

    private WebhookSettings(WebhookOptions options, bool allowsLoopback, IReadOnlyList<WebhookEndpoint> endpoints) =>
        (Options, AllowsLoopback, Endpoints) = (options, allowsLoopback, endpoints);

    public WebhookOptions Options { get; }

    public bool AllowsLoopback { get; }

    public IReadOnlyList<WebhookEndpoint> Endpoints { get; }

    public WebhookEndpoint? Find(string name) => Endpoints.FirstOrDefault(endpoint => endpoint.Name == name);

    /// <summary>Reads the section; what is wrong stops the start.</summary>
    public static WebhookSettings Read(IConfiguration configuration, HostMode mode)
    {
        const string Section = $"{HostSettings.Section}:{WebhookOptions.Name}";
        var options = configuration.ReadChecked<WebhookOptions>(Section);
        var allowsLoopback = options.AllowLoopback ?? mode == HostMode.Dev;
        if (options.Endpoints.Count > EndpointLimit)
            throw StartException.Setting($"{Section}:Endpoints", $"There are {options.Endpoints.Count} endpoints, {EndpointLimit} is the most");
        var endpoints = new List<WebhookEndpoint>();
        foreach (var (index, endpoint) in options.Endpoints.Index())
        {
            var path = $"{Section}:Endpoints:{index}";
            if (endpoint.Name is not { } name) throw StartException.Setting($"{path}:Name", "The endpoint has no name");
            if (endpoints.Exists(known => known.Name == name)) throw StartException.Setting($"{path}:Name", $"Two endpoints are named '{name}'");
            if (endpoint.Secret is not { } secret) throw StartException.Setting($"{path}:Secret", $"The endpoint '{name}' has no secret");
            endpoints.Add(new WebhookEndpoint(name, ReadUrl(endpoint.Url, path, allowsLoopback), ReadSecrets(secret, endpoint.PreviousSecret, path)));
        }

        return new WebhookSettings(options, allowsLoopback, endpoints);
    }

    private static WebhookSignature ReadSecrets(string secret, string? previous, string path)
    {
        try
        {
            return new WebhookSignature(secret, previous);
        }
        catch (FormatException)
        {
            throw StartException.Setting($"{path}:Secret", "The secret is not whsec_ and base64");
        }
    }

    private static Uri ReadUrl(string? text, string path, bool allowsLoopback)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.UserInfo.Length > 0 || url.Fragment.Length > 0)
            throw StartException.Setting($"{path}:Url", "It is not an https URL without user and fragment");
        if (allowsLoopback && url.IsLoopback && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)) return url;
        if (url.Scheme != Uri.UriSchemeHttps) throw StartException.Setting($"{path}:Url", $"One of '{url.Scheme}' is not an https URL");
        if (url.IsLoopback || (IPAddress.TryParse(url.IdnHost, out var address) && !PublicAddress.Is(address)))
            throw StartException.Setting($"{path}:Url", $"'{url.Host}' is not a public host");
        return url;
    }
}
