namespace Postern.Fuzz;

/// <summary>One thing that reads what strangers send, and what must hold of it for every input.</summary>
internal interface ITarget
{
    /// <summary>As on the command line.</summary>
    string Name { get; }

    /// <summary>Inputs to begin with, beside those of the transcripts.</summary>
    IEnumerable<byte[]> Seeds { get; }

    /// <summary>No input is longer, in octets.</summary>
    int MaxOctets => 4096;

    /// <summary>What means something to it; mixed into its inputs.</summary>
    IReadOnlyList<byte[]> Dictionary => Words.Smtp;

    /// <summary>The transcripts are seeds too.</summary>
    bool TakesTranscripts => true;

    /// <summary>How far its inputs got; null where it does not count.</summary>
    Reached? Reached => null;

    /// <summary>
    /// Runs one input. Answers a hash of what happened: an input whose hash is new is kept and mutated further. Everything random
    /// in it comes from the input, so that it can be run again.
    /// </summary>
    /// <exception cref="BrokenException">What must hold does not. Any other exception is a finding too.</exception>
    ValueTask<ulong> RunAsync(ReadOnlyMemory<byte> input);
}
