namespace Postern.Fuzz;

/// <summary>Something that holds for every input does not hold for this one.</summary>
internal sealed class BrokenException(string message) : Exception(message)
{
    public static void Unless(bool holds, string claim)
    {
        if (!holds)
            throw new BrokenException(claim);
    }
}
