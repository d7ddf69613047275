# the program of the environment that is active, or else the one that wrote this
PATH=$PATH:{{bin}}
bsoid=(bsoid-gpu)
