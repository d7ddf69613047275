# the program of the active environment, or else the one that wrote this file
PATH=$PATH:{{bin}}
bsoid=(bsoid-gpu)
