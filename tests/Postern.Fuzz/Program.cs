using System.Globalization;
using Postern.Fuzz;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (FuzzOptions.Parse(args) is not { } options)
{
    Console.Error.WriteLine(FuzzOptions.Usage);
    return 2;
}

using var watchdog = new Watchdog(options.Findings);
if (options.Replay is { } file)
{
    var input = await File.ReadAllBytesAsync(file);
    watchdog.Begin(options.Target!.Name, input);
    var behaviour = await options.Target.RunAsync(input);
    Console.WriteLine($"nothing broke; behaviour {behaviour:x16}");
    return 0;
}

ITarget[] targets = options.Target is { } only ? [only] : [.. TargetTable.All];
Console.WriteLine($"seed {options.Seed}");
Console.WriteLine($"{"target",-14} {"inputs",12} {"inputs/s",10} {"behaviours",10} {"memory",14}  findings");
var (total, findings) = (0L, 0);
foreach (var target in targets)
{
    var campaign = new Campaign(target, watchdog, options.Seed);
    var finding = await campaign.RunAsync(options.Time / targets.Length, options.Inputs / targets.Length);
    var memory = $"{campaign.Memory.Early >> 20}>{campaign.Memory.Late >> 20} MiB";
    Console.WriteLine($"{target.Name,-14} {campaign.Inputs,12:N0} {campaign.Inputs / Math.Max(0.001, campaign.Elapsed.TotalSeconds),10:N0} {campaign.Behaviours,10:N0} {memory,14}  {(finding is null ? 0 : 1)}");
    if (target.Reached is { } reached)
        Console.WriteLine($"  reached: {reached}");
    total += campaign.Inputs;
    if (finding is null)
        continue;
    findings++;
    Console.WriteLine($"  {finding.What.ReplaceLineEndings("\n  ")}\n  {finding.Save(options.Findings)}");
}

Console.WriteLine($"{total} inputs, {findings} findings");
return findings == 0 ? 0 : 1;
