namespace Postern.Fuzz;

/// <summary>Takes octets out of a finding for as long as the same kind of thing still breaks.</summary>
internal sealed class Shrinker(ITarget target)
{
    private const int MaxTries = 4000;

    private int tries;

    public async ValueTask<Finding> ShrinkAsync(byte[] input, Exception fault)
    {
        for (var size = input.Length / 2; size > 0; size /= 2)
        {
            for (var at = 0; at < input.Length && tries < MaxTries;)
            {
                byte[] shorter = [.. input[..at], .. input[Math.Min(input.Length, at + size)..]];
                if (await FaultOfAsync(shorter) is { } same && same.GetType() == fault.GetType() && Kind(same) == Kind(fault))
                    (input, fault) = (shorter, same);
                else
                    at += size;
            }
        }

        return new Finding(target.Name, input, fault.ToString());
    }

    private static string Kind(Exception fault) => fault.Message.Split(':')[0];

    private async ValueTask<Exception?> FaultOfAsync(byte[] input)
    {
        tries++;
        try
        {
            await target.RunAsync(input);
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }
}
