using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;

namespace HeartGrains.Tests.OpenApi;

/// <summary>The document of the API, and what answers are against it.</summary>
internal sealed class DocumentedApi
{
    // Made once: each is kept by its library for good, with all that it refers to.
    private readonly ConcurrentDictionary<string, JsonSchema> _schemas = new();
    private readonly ConcurrentDictionary<JsonNode, JsonSchema> _schemaOf = new(ReferenceEqualityComparer.Instance);
    private readonly Lazy<string> _components;

    // Of the connection and of the way a body is sent: no answer of ours says more by them.
    private static readonly HashSet<string> OfTransport = new(StringComparer.OrdinalIgnoreCase) { "Date", "Content-Type", "Content-Length", "Transfer-Encoding", "Connection" };

    public DocumentedApi(JsonNode document)
    {
        Document = document;
        _components = new(() => Inner(Closed(document["components"]!["schemas"]!.DeepClone())));
        Calls =
        [
            .. from path in document["paths"]!.AsObject()
               from method in path.Value!.AsObject()
               select new DocumentedCall(path.Key, new HttpMethod(method.Key.ToUpperInvariant()), method.Value!),
        ];
    }

    public JsonNode Document { get; }

    public IReadOnlyList<DocumentedCall> Calls { get; }

    public DocumentedCall this[string id] => Calls.Single(call => call.Id == id);

    /// <summary>What is wrong with a value, by a schema of the document; a property that the schema does not name is.</summary>
    public string? FaultOf(JsonNode schema, JsonElement value)
    {
        var results = _schemaOf.GetOrAdd(schema, WholeOf).Evaluate(value, new EvaluationOptions { OutputFormat = OutputFormat.List, RequireFormatValidation = true });
        return results.IsValid
            ? null
            : string.Join("; ", results.Details!.Where(static detail => detail.Errors is not null).SelectMany(static detail => detail.Errors!.Select(error => $"{detail.InstanceLocation}: {error.Value}")).Distinct()) + $" in {value}";
    }

    /// <summary>What of an answer the document does not say.</summary>
    public async Task<IReadOnlyList<string>> FaultsOfAsync(DocumentedCall call, HttpResponseMessage answer)
    {
        var status = (int)answer.StatusCode;
        if (call.Operation["responses"]![$"{status}"] is not { } response) return [$"{status} is not documented"];
        var faults = new List<string>();
        var documented = (response["headers"]?.AsObject() ?? []).ToDictionary(static header => header.Key, static header => header.Value!, StringComparer.OrdinalIgnoreCase);
        var headers = answer.Headers.Concat(answer.Content.Headers).Select(static header => header.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        faults.AddRange(headers.Where(name => !OfTransport.Contains(name) && !documented.ContainsKey(name)).Select(name => $"{status}: the header {name} is not documented"));
        faults.AddRange(documented.Where(header => header.Value["required"]?.GetValue<bool>() is true && !headers.Contains(header.Key)).Select(header => $"{status}: the header {header.Key} is missing"));
        if (status == 101) return faults;

        var body = await answer.Content.ReadAsStringAsync();
        var contents = response["content"]?.AsObject() ?? [];
        if (contents.Count == 0)
        {
            if (body.Length > 0) faults.Add($"{status}: has a body: {body}");
            return faults;
        }

        var type = answer.Content.Headers.ContentType?.MediaType;
        if (type is null || contents[type] is not { } content)
        {
            faults.Add($"{status}: the content type {type} is not documented");
            return faults;
        }

        if (type == "application/x-ndjson")
        {
            if (!body.EndsWith('\n')) faults.Add($"{status}: the last line has no end");
            faults.AddRange(body.Split('\n')[..^1].Select(line => FaultOf(content["schema"]!, JsonSerializer.Deserialize<JsonElement>(line))).OfType<string>().Select(fault => $"{status}: {fault}"));
            return faults;
        }

        if (!type.EndsWith("json", StringComparison.Ordinal)) return faults;
        var json = JsonSerializer.Deserialize<JsonElement>(body);
        if (FaultOf(content["schema"]!, json) is { } fault) faults.Add($"{status}: {fault}");
        if (type == "application/problem+json" && content["examples"]![json.GetProperty("code").GetString()!] is null) faults.Add($"{status}: the code {json.GetProperty("code")} is not documented");
        return faults;
    }

    /// <summary>A schema with all that it may refer to.</summary>
    private JsonSchema WholeOf(JsonNode schema)
    {
        var own = Inner(Closed(schema.DeepClone()));
        return _schemas.GetOrAdd(own[..^1] + (own.Length > 2 ? "," : "") + "\"$defs\":" + _components.Value + "}", static text => JsonSchema.FromText(text));
    }

    private static string Inner(JsonNode schema) => schema.ToJsonString().Replace("#/components/schemas/", "#/$defs/", StringComparison.Ordinal);

    /// <summary>Lets no object have what its schema does not name.</summary>
    private static JsonNode Closed(JsonNode schema)
    {
        foreach (var part in schema is JsonObject parts ? [.. parts.Select(static part => part.Value)] : schema is JsonArray list ? list.ToArray() : [])
            if (part is JsonObject or JsonArray) Closed(part);
        if (schema is JsonObject { } one && one["properties"] is JsonObject && !one.ContainsKey("additionalProperties")) one["additionalProperties"] = false;
        return schema;
    }
}

/// <summary>An operation of the document.</summary>
internal sealed record DocumentedCall(string Path, HttpMethod Method, JsonNode Operation)
{
    public string Id => Operation["operationId"]!.GetValue<string>();

    public IEnumerable<JsonNode> Parameters => Operation["parameters"]?.AsArray().Select(static parameter => parameter!) ?? [];

    /// <summary>What may be sent, by media type; null where nothing is.</summary>
    public JsonObject? Bodies => Operation["requestBody"]?["content"]!.AsObject();

    public IEnumerable<int> Statuses => Operation["responses"]!.AsObject().Select(static response => int.Parse(response.Key, System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Some credentials must come along.</summary>
    public bool NeedsCredentials => Operation["security"]?.AsArray() is { } ways && ways.All(static way => way!.AsObject().Count > 0);

    public override string ToString() => $"{Method} {Path}";
}
